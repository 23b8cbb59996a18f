//   candidates ──> the queue has all up to here? ── look at both again ──┬──> equal: forgotten
//        ^                                                              ├──> still, and not on its
//        └── pause ◀── moved since, or a change of it is pending ◀──────┤    way: a difference
//                                                                       └──> patience over: in flight
import { setTimeout as sleep } from 'node:timers/promises';
import type { Explained, MarkPosition } from './verify-run.ts';

/** A subject both stores disagreed about, and a token of the primary's state of it then. */
export interface Candidate<Subject> {
  readonly subject: Subject;
  readonly primaryState: string;
}

/** A subject as both stores have it now. */
interface Look<Subject, Sides> {
  readonly subject: Subject;
  readonly sides: Sides;
  readonly differs: boolean;
  readonly primaryState: string;
}

export interface SecondLook<Subject, Sides> {
  explain(subjects: readonly Subject[]): Promise<Explained<Subject>>;
  /** Reads the secondary, then the primary: a state seen in the secondary is then never ahead of a
   *  healthy primary. */
  look(subjects: readonly Subject[]): Promise<readonly Look<Subject, Sides>[]>;
  /** Called for each that differs still, with what explains it. */
  found(look: Look<Subject, Sides>, explained: Explained<Subject>): void;
  /** Called for each on which both agree by now. */
  equal?(look: Look<Subject, Sides>): void;
  /** Called for each whose change is still on its way when the patience is over.
   *  @param moved whether the primary's state is another than when it was first seen */
  undecided(look: Look<Subject, Sides>, moved: boolean): void;
}

const PAUSE_MIN_MS = 20;
const PAUSE_MAX_MS = 1_000;

/** How long a run waits for what is moving, in all. */
export class Patience {
  readonly #deadlineMs: number;
  readonly #signal: AbortSignal | undefined;

  constructor(patienceMs: number, signal: AbortSignal | undefined) {
    this.#deadlineMs = performance.now() + patienceMs;
    this.#signal = signal;
  }

  get isOver(): boolean {
    return performance.now() >= this.#deadlineMs;
  }

  check(): void {
    this.#signal?.throwIfAborted();
  }

  /** Waits, longer with each attempt, but not beyond the end. */
  async pause(attempt: number): Promise<void> {
    const rest = Math.max(0, this.#deadlineMs - performance.now());
    const ms = Math.min(PAUSE_MIN_MS * 2 ** Math.min(attempt, 10), PAUSE_MAX_MS, rest);
    try {
      await sleep(ms, undefined, this.#signal === undefined ? {} : { signal: this.#signal });
    } catch (error) {
      this.check();
      throw error;
    }
  }
}

/**
 * Looks at candidates again until each is settled, or the patience is over.
 *
 * A difference counts as one only if the primary's state was there before the mark, the queue had all
 * up to the mark, and then had no change of it: the secondary, read after that, must have had it.
 */
export async function lookAgain<Subject, Sides>(
  candidates: readonly Candidate<Subject>[],
  mark: MarkPosition,
  patience: Patience,
  second: SecondLook<Subject, Sides>,
): Promise<void> {
  const first = new Map(candidates.map(({ subject, primaryState }) => [subject, primaryState]));
  let open = first;
  for (let attempt = 0; open.size > 0; attempt++) {
    patience.check();
    const isLast = patience.isOver;
    const queued = await queuedInTime(await mark(), patience);
    const subjects = [...open.keys()];
    const explained = await second.explain(subjects);
    const moving = new Map<Subject, string>();
    for (const look of await second.look(subjects)) {
      const { subject, primaryState } = look;
      if (!look.differs) {
        second.equal?.(look);
        continue;
      }
      const stood = open.get(subject) === primaryState;
      if (queued && stood && !explained.pending.has(subject)) second.found(look, explained);
      else if (isLast) second.undecided(look, first.get(subject) !== primaryState);
      else moving.set(subject, primaryState);
    }
    open = moving;
    if (open.size > 0) await patience.pause(attempt);
  }
}

async function queuedInTime(queued: () => Promise<boolean>, patience: Patience): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    if (await queued()) return true;
    if (patience.isOver) return false;
    await patience.pause(attempt);
  }
}
