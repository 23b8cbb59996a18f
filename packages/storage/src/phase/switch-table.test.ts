import { expect, test } from 'vitest';
import { randomFrom, seedOf } from '../testing/seeded-random.ts';
import { SwitchModel } from '../testing/switch-model.ts';
import {
  ImpossibleEvent,
  isResting,
  SWITCH_EVENTS,
  SWITCH_STATES,
  type SwitchEvent,
  type SwitchState,
  transition,
} from './switch-table.ts';

const RUNS = 400;
const STEPS = 250;

function nextOf(state: SwitchState, event: SwitchEvent): SwitchState | undefined {
  try {
    return transition(state, event);
  } catch (error) {
    expect(error).toBeInstanceOf(ImpossibleEvent);
    expect(String(error)).toContain(`"${event}" can't happen in the state "${state}"`);
    return undefined;
  }
}

test('every state answers every event: by the next state, or by a named error', () => {
  for (const state of SWITCH_STATES) {
    const next = SWITCH_EVENTS.map((event) => nextOf(state, event));
    expect(next.filter((one) => one !== undefined).length, state).toBeGreaterThan(0);
    // What is done in a state can fail, also so that nobody knows, and its driver can die.
    const mishaps = (['failed', 'unanswered'] as const).map((event) => nextOf(state, event));
    expect(
      mishaps.every((one) => (one === undefined) === isResting(state)),
      state,
    ).toBe(true);
    expect(nextOf(state, 'driver-gone')).toBe('stopped');
  }
});

test('whatever happens, a state of rest is reached from every state', () => {
  for (const state of SWITCH_STATES) {
    const seen = new Set<SwitchState>([state]);
    for (const one of seen) {
      for (const event of SWITCH_EVENTS) {
        const next = event === 'driver-gone' ? undefined : nextOf(one, event);
        if (next !== undefined) seen.add(next);
      }
    }
    expect(seen, state).toContain('serving');
  }
});

test('I3, I6: no order of events makes two primaries, or one that lacks an acknowledged write', () => {
  const seed = seedOf();
  const states = new Set<SwitchState>();
  const events = new Set<SwitchEvent>();
  for (let run = 0; run < RUNS; run += 1) {
    const model = new SwitchModel(randomFrom(seed + run));
    const check = () => {
      const { json, has, acknowledged } = model;
      // Under the brake both may: what the other side still writes is brought over, and forks are listed.
      if (json.braked) return;
      const primaries = (['json', 'postgres'] as const).filter((store) => model.accepts(store));
      if (primaries.length > 1) throw new Error('Two primaries.');
      for (const store of primaries) {
        if (has[store] !== acknowledged) throw new Error(`${store} lacks a write.`);
      }
    };
    try {
      for (let step = 0; step < STEPS; step += 1) {
        model.step();
        check();
      }
      expect(model.settle()).toBe('serving');
      check();
      expect(model.json.epoch).toBe(model.postgres.epoch);
    } catch (error) {
      throw new Error(`TANDEM_SEED=${seed + run}: ${error}\n${model.story.join('\n')}`);
    }
    for (const state of model.states) states.add(state);
    for (const event of model.events) events.add(event);
  }
  // The model goes everywhere: nothing in the table is unreachable.
  expect([...states].sort()).toEqual([...SWITCH_STATES].sort());
  expect([...events].sort()).toEqual([...SWITCH_EVENTS].sort());
});
