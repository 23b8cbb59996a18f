//   candidates ──> the queue has all up to here? ── look at both again ──┬──> equal: forgotten
//        ^                                                              ├──> still, and not on its
//        └── pause ◀── moved since, or a change of it is pending ◀──────┤    way: a difference
//                                                                       └──> patience over: in flight
import type { Patience, Wait } from './patience.ts';
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
  if (candidates.length === 0) return;
  await patience.during((wait) => lookUntilSettled(candidates, mark, wait, second));
}

async function lookUntilSettled<Subject, Sides>(
  candidates: readonly Candidate<Subject>[],
  mark: MarkPosition,
  wait: Wait,
  second: SecondLook<Subject, Sides>,
): Promise<void> {
  const first = new Map(candidates.map(({ subject, primaryState }) => [subject, primaryState]));
  let open = first;
  for (let attempt = 0; open.size > 0; attempt++) {
    wait.check();
    const isLast = wait.isOver;
    const queued = await queuedInTime(await mark(), wait);
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
    if (open.size > 0) await wait.pause(attempt);
  }
}

async function queuedInTime(queued: () => Promise<boolean>, wait: Wait): Promise<boolean> {
  for (let attempt = 0; ; attempt++) {
    if (await queued()) return true;
    if (wait.isOver) return false;
    await wait.pause(attempt);
  }
}
