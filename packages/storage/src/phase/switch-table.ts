// What the driver of a switch does, and what may happen to it meanwhile. In a resting state it does
// nothing; every other state is one act, whose outcome is the next event.
//
//   stopped ─started─▶ looking ─agreed─▶ serving ─wanted─▶ catching-up ─▶ sealing ─▶ draining
//                         ▲                 ▲                                            │
//                         │   undone, or ───┘     telling ◀─ committing ◀─ marking ◀─────┤
//                         └── whatever has to be looked at first ◀──┘ ▲    (towards PostgreSQL)
//                                                                     └──────────────────┘ (JSON)
//
// Only `serving` and `catching-up` (and `braked`, for JSON) are states in which a store accepts writes.

/** Columns of the table, in its order. */
const COLUMNS = {
  /** Nobody drives: before the first look, or when an act failed and what became of it must be seen. */
  stopped: 0,
  /** Both stores are read, and `reconcile` says what is to be done. */
  looking: 1,
  /** The effective phase stands; nothing is under way. */
  serving: 2,
  /** A commit towards PostgreSQL stands open and can't be asked after: nobody writes. */
  unknown: 3,
  /** JSON serves by the emergency brake; PostgreSQL was not met again. */
  braked: 4,
  /** Two stores become halves of one installation. */
  meeting: 5,
  /** Gates are measured, the target is brought up by difference; the old primary serves. */
  'catching-up': 6,
  /** The old primary is made to refuse writes of its epoch. */
  sealing: 7,
  /** What was sealed is carried over and compared. */
  draining: 8,
  /** The `committing` mark is put into JSON, before PostgreSQL is asked to commit. */
  marking: 9,
  /** The next epoch is written to the new primary: the commit point. */
  committing: 10,
  /** The other store is told. */
  telling: 11,
  /** A switch is given up: its seal is lifted. */
  lifting: 12,
  /** A commit that did not happen is made impossible. */
  aborting: 13,
  /** After the brake both sides are brought together. */
  reuniting: 14,
} as const;

export type SwitchState = keyof typeof COLUMNS;

/** The states in which nothing is done until something happens outside. */
const RESTING = ['stopped', 'serving', 'unknown', 'braked'] as const satisfies SwitchState[];
export type RestingState = (typeof RESTING)[number];
export type ActingState = Exclude<SwitchState, RestingState>;

/** One cell for each column: the next state, or `null` where the event can't happen. */
type Row = { readonly length: 15 } & readonly (SwitchState | null)[];

const _ = null;
const STOP = 'stopped';
const LOOK = 'looking';
const SERV = 'serving';
const UNKN = 'unknown';
const BRAK = 'braked';
const MEET = 'meeting';
const CTCH = 'catching-up';
const SEAL = 'sealing';
const DRAI = 'draining';
const MARK = 'marking';
const COMM = 'committing';
const TELL = 'telling';
const LIFT = 'lifting';
const ABRT = 'aborting';
const REUN = 'reuniting';

// biome-ignore format: a table, one column a state
const TABLE = {
  //                      STOP  LOOK  SERV  UNKN  BRAK  MEET  CTCH  SEAL  DRAI  MARK  COMM  TELL  LIFT  ABRT  REUN
  // Somebody holds the JSON lock and looks, at a start or because something may have changed.
  'started':             [LOOK,    _, LOOK, LOOK, LOOK,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _],
  // The process died, or let go of the JSON lock.
  'driver-gone':         [STOP, STOP, STOP, STOP, STOP, STOP, STOP, STOP, STOP, STOP, STOP, STOP, STOP, STOP, STOP],
  // What a look finds.
  'agreed':              [   _, SERV,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _],
  'found-strangers':     [   _, MEET,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _],
  'found-sealed':        [   _, LIFT,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _],
  'found-open-commit':   [   _, ABRT,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _],
  'found-braked':        [   _, BRAK,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _],
  'postgres-back':       [   _, REUN,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _],
  'postgres-unreachable':[   _, UNKN,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _],
  // The flags ask for a neighbour of the effective phase.
  'wanted':              [   _,    _, CTCH,    _, BRAK,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _],
  'gates-closed':        [   _,    _,    _,    _,    _,    _, SERV,    _,    _,    _,    _,    _,    _,    _,    _],
  'caught-up':           [   _,    _,    _,    _,    _,    _, SEAL,    _,    _,    _,    _,    _,    _,    _,    _],
  // The move leaves the primary where it is: an epoch raised, nothing to seal.
  'keeps-primary':       [   _,    _,    _,    _,    _,    _, COMM,    _,    _,    _,    _,    _,    _,    _,    _],
  'sealed':              [   _,    _,    _,    _,    _,    _,    _, DRAI,    _,    _,    _,    _,    _,    _,    _],
  'drained-to-postgres': [   _,    _,    _,    _,    _,    _,    _,    _, MARK,    _,    _,    _,    _,    _,    _],
  // JSON commits by itself: it needs no mark to ask by.
  'drained-to-json':     [   _,    _,    _,    _,    _,    _,    _,    _, COMM,    _,    _,    _,    _,    _,    _],
  // The target lacks something that nobody can carry over.
  'incomplete':          [   _,    _,    _,    _,    _,    _,    _,    _, LIFT,    _,    _,    _,    _,    _,    _],
  'marked':              [   _,    _,    _,    _,    _,    _,    _,    _,    _, COMM,    _,    _,    _,    _,    _],
  'committed':           [   _, TELL,    _,    _,    _,    _,    _,    _,    _,    _, TELL,    _,    _,    _,    _],
  'told':                [   _,    _,    _,    _,    _,    _,    _,    _,    _,    _, LOOK, LOOK,    _,    _,    _],
  'lifted':              [   _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _, LOOK,    _,    _],
  'aborted':             [   _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _, LOOK,    _],
  'met':                 [   _,    _,    _,    _,    _, LOOK,    _,    _,    _,    _,    _,    _,    _,    _,    _],
  'reunited':            [   _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _, LOOK],
  // The flags do not ask for it any more: before the commit it is undone, in it the store refuses.
  'cancelled':           [   _,    _,    _,    _,    _,    _, SERV, LIFT, LIFT,    _, LOOK,    _,    _,    _,    _],
  'deadline-missed':     [   _,    _,    _,    _,    _,    _, SERV, LIFT, LIFT, LOOK, LOOK,    _,    _,    _,    _],
  // The store answered that it did not happen.
  'failed':              [   _, STOP,    _,    _,    _, STOP, SERV, LIFT, LIFT, LIFT, LOOK, STOP, STOP, UNKN, BRAK],
  // It may have happened.
  'unanswered':          [   _, STOP,    _,    _,    _, STOP, SERV, LIFT, LIFT, LOOK, LOOK, STOP, STOP, UNKN, BRAK],
  'brake-pulled':        [BRAK,    _,    _, BRAK,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _,    _],
} as const satisfies Readonly<Record<string, Row>>;

export type SwitchEvent = keyof typeof TABLE;

/** What can happen in a state, taken from the table: whoever acts in it can give nothing else. */
export type EventIn<S extends SwitchState> = {
  [E in SwitchEvent]: (typeof TABLE)[E][(typeof COLUMNS)[S]] extends null ? never : E;
}[SwitchEvent];

export const SWITCH_STATES = Object.keys(COLUMNS) as readonly SwitchState[];
export const SWITCH_EVENTS = Object.keys(TABLE) as readonly SwitchEvent[];

/** An event in a state in which it can't happen: a defect, never an operating error. */
export class ImpossibleEvent extends Error {
  constructor(state: SwitchState, event: SwitchEvent) {
    super(`"${event}" can't happen in the state "${state}" of a switch.`);
    this.name = 'ImpossibleEvent';
  }
}

/** Pure. @throws {ImpossibleEvent} where the table has no next state */
export function transition(state: SwitchState, event: SwitchEvent): SwitchState {
  const next = TABLE[event][COLUMNS[state]];
  if (next === null) throw new ImpossibleEvent(state, event);
  return next;
}

export const isResting = (state: SwitchState): state is RestingState =>
  (RESTING as readonly SwitchState[]).includes(state);
