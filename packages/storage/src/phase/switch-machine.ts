// One a process that may drive: it keeps the state in which the driver is, and lets one act at a time.
import { isTandemError, TandemError } from '../errors.ts';
import {
  type ActingState,
  type EventIn,
  isResting,
  type RestingState,
  type SwitchEvent,
  type SwitchState,
  transition,
} from './switch-table.ts';

/** The longest way, an undone switch that is looked at again, takes about 15. */
const STEPS_MAX = 64;

/** What is done in each acting state. What it gives, or what it throws means, is the next event. */
export type SwitchActs = {
  readonly [S in ActingState]: () => Promise<EventIn<S>>;
};

/** Without those of a move: enough to bring two stores to agree. */
export type AgreeingActs = Pick<
  SwitchActs,
  'looking' | 'meeting' | 'telling' | 'lifting' | 'aborting' | 'reuniting'
>;

/** A step of a switch took longer than it may; it is undone. */
export class DeadlineMissed extends TandemError {
  constructor(sentence: string) {
    super('unavailable', sentence);
    this.name = 'DeadlineMissed';
  }
}

/** Whether a commit happened can't be asked at the moment; until it can, nobody writes. */
export class CommitUnanswered extends TandemError {
  constructor(sentence: string, cause?: unknown) {
    super('unavailable', sentence, { cause });
    this.name = 'CommitUnanswered';
  }
}

/** Where a run came to rest, and what went wrong on the way, if anything did. */
export interface SwitchEnd {
  readonly state: RestingState;
  readonly failure: unknown;
}

/** Told of each state that is entered, and of the one before it. */
type OnState = (state: SwitchState, before: SwitchState) => void;

/**
 * Drives by the table in `switch-table.ts`: feeds it an event, does what the state it leads to asks
 * for, feeds it what came of that, until nothing is to be done.
 */
export class SwitchMachine {
  #state: SwitchState = 'stopped';
  #isRunning = false;
  #isOver = false;
  readonly #onState: OnState | undefined;
  /** JSON failed while it wrote what it keeps about the phase: its memory is not to be trusted. */
  jsonInDoubt = false;

  constructor(onState?: OnState) {
    this.#onState = onState;
  }

  get state(): SwitchState {
    return this.#state;
  }

  /** True while somebody drives: others wait. */
  get isRunning(): boolean {
    return this.#isRunning;
  }

  /** Brings both stores to agree on the phase. @throws {TandemError} `unavailable` beside another run */
  agree(acts: AgreeingActs): Promise<SwitchEnd> {
    return this.#run('started', acts);
  }

  /** Moves to a neighbouring phase. @throws {TandemError} as `agree` */
  move(acts: SwitchActs): Promise<SwitchEnd> {
    return this.#run('wanted', acts);
  }

  /** The emergency brake was pulled. */
  brake(): void {
    this.#enter('brake-pulled');
  }

  /** The JSON lock is let go of: whoever has it next drives, and this process never again. */
  end(): void {
    this.#isOver = true;
    if (!this.#isRunning) this.#enter('driver-gone');
  }

  async #run(first: SwitchEvent, acts: AgreeingActs & Partial<SwitchActs>): Promise<SwitchEnd> {
    if (this.#isOver) {
      throw new TandemError('unavailable', 'This process does not hold the JSON store any more.');
    }
    if (this.#isRunning) {
      throw new TandemError('unavailable', `A switch is under way (${this.#state}).`);
    }
    this.#isRunning = true;
    let failure: unknown;
    let event = first;
    try {
      for (let steps = 0; steps < STEPS_MAX; steps += 1) {
        const state = this.#enter(event);
        if (isResting(state)) return { state, failure };
        try {
          event = await actOf(acts, state)();
        } catch (error) {
          failure ??= error;
          event = mishapOf(error);
        }
      }
    } finally {
      this.#isRunning = false;
    }
    this.#enter('driver-gone');
    throw new TandemError('unavailable', 'The two stores did not come to agree on the phase.');
  }

  #enter(event: SwitchEvent): SwitchState {
    const before = this.#state;
    this.#state = transition(before, event);
    this.#onState?.(this.#state, before);
    return this.#state;
  }
}

function actOf(
  acts: AgreeingActs & Partial<SwitchActs>,
  state: ActingState,
): () => Promise<SwitchEvent> {
  const act = acts[state];
  if (act === undefined) throw new Error(`Nobody acts in the state "${state}".`);
  return act;
}

function mishapOf(error: unknown): SwitchEvent {
  if (error instanceof DeadlineMissed) return 'deadline-missed';
  if (error instanceof CommitUnanswered) return 'postgres-unreachable';
  return isTandemError(error, 'outcome-unknown') ? 'unanswered' : 'failed';
}
