// Does what a round's schedule says, when it says so.
import { setTimeout as sleep } from 'node:timers/promises';
import { sentenceOf } from '@tandem/storage/errors';
import type { Phase } from '@tandem/storage/phase';
import { FAULTS } from './faults/index.ts';
import type { FaultEvent, PhaseEvent, Round } from './schedule.ts';
import type { World } from './world.ts';

/** @returns the phase desired last, and what could not be done */
export async function conduct(
  world: World,
  round: Round,
): Promise<{ readonly desired: Phase; readonly troubles: readonly string[] }> {
  const beganMs = performance.now();
  const reach = (atMs: number) => sleep(Math.max(0, beganMs + atMs - performance.now()));
  const troubles: string[] = [];
  const attempt = async (what: string, work: () => Promise<void>) => {
    await work().catch((error: unknown) => {
      troubles.push(`${what}: ${sentenceOf(error)}`);
      world.timeline.note(`trouble with ${what}: ${sentenceOf(error)}`);
    });
  };
  const lane = async (events: readonly FaultEvent[]) => {
    for (const { atMs, kind, variant, holdMs } of events) {
      await reach(atMs);
      const hold = () => sleep(holdMs);
      await attempt(`${kind} ${variant}`, () => FAULTS[kind](world, variant, hold));
    }
  };
  const phases = async (events: readonly PhaseEvent[]) => {
    for (const { atMs, desired } of events) {
      await reach(atMs);
      await attempt(`phase ${desired}`, () => world.desire(desired));
    }
  };
  await Promise.all([...round.lanes.map(lane), phases(round.phases), reach(round.lengthMs)]);
  return { desired: round.phases.at(-1)?.desired ?? 'json-primary', troubles };
}
