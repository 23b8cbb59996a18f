// The durable acts of the states in `switch-table.ts`: which store each changes, and how. Live
// switches, the walk at start, `tandem doctor` and the table's own tests take them from here.
import type { JsonPhaseState, PostgresPhaseState } from './phase-state.ts';
import { type Phase, primaryOf, secondaryOf } from './phases.ts';
import type { Reconciliation } from './reconcile.ts';

export type JsonChange = Partial<Omit<JsonPhaseState, 'pairId'>> & { readonly pairId?: string };
export type PostgresChange = Partial<PostgresPhaseState>;

/** One change of what a store keeps about the phase, durable when it is done. */
export type StoreAct =
  | { readonly store: 'json'; readonly change: JsonChange }
  | { readonly store: 'postgres'; readonly change: PostgresChange };

/** A move to a neighbouring phase. */
export interface Move {
  readonly from: Phase;
  readonly to: Phase;
  /** The epoch that is left. */
  readonly epoch: number;
  /** Names the commit towards PostgreSQL, so that it can be asked after. */
  readonly attempt: string;
  /** ISO instant since when the store that begins to follow has to be brought up by difference. */
  readonly since: string;
}

/** The acts of a move by the state they belong to; `null` where it needs none. */
export interface MoveActs {
  readonly sealing: StoreAct | null;
  readonly marking: StoreAct | null;
  readonly committing: StoreAct;
  /** `null`: PostgreSQL is told when it is met next; JSON alone decides in its phases. */
  readonly telling: StoreAct | null;
  readonly lifting: StoreAct | null;
}

const json = (change: JsonChange): StoreAct => ({ store: 'json', change });
const postgres = (change: PostgresChange): StoreAct => ({ store: 'postgres', change });

/** Pure. */
export function actsOf(move: Move): MoveActs {
  if (primaryOf(move.from) === primaryOf(move.to)) return keepingPrimary(move);
  return primaryOf(move.to) === 'postgres' ? towardsPostgres(move) : towardsJson(move);
}

/** 3 → 4. The commit point is the phase row; before it stands the `committing` mark (I3, I6). */
function towardsPostgres({ to, epoch, attempt }: Move): MoveActs {
  const next = { epoch: epoch + 1, phase: to };
  return {
    sealing: json({ sealed: true }),
    marking: json({ committing: { attempt, ...next } }),
    committing: postgres({ ...next, attempt, catchUpSince: null }),
    telling: json({ ...next, sealed: false, committing: null, catchUpSince: null }),
    lifting: json({ sealed: false }),
  };
}

/** 4 → 3. The commit point is the manifest (I3, I6). */
function towardsJson({ to, epoch }: Move): MoveActs {
  const next = { epoch: epoch + 1, phase: to, sealed: false, catchUpSince: null };
  return {
    sealing: postgres({ sealed: true }),
    marking: null,
    committing: json({ ...next, archived: null }),
    telling: postgres(next),
    lifting: postgres({ sealed: false }),
  };
}

/** 1 ↔ 3 and 4 ↔ 5: an epoch raised by the primary. The difference is brought over afterwards. */
function keepingPrimary({ to, epoch, since }: Move): MoveActs {
  const next = { epoch: epoch + 1, phase: to };
  const catchUpSince = secondaryOf(to) === null ? null : since;
  const byJson = primaryOf(to) === 'json';
  return {
    sealing: null,
    marking: null,
    committing: byJson ? json({ ...next, catchUpSince }) : postgres({ ...next, catchUpSince }),
    telling: byJson ? null : json(next),
    lifting: null,
  };
}

/** A move that PostgreSQL committed last may not have been told to JSON: there is room for its epoch. */
const BRAKE_EPOCHS = 2;

/** The emergency brake: JSON becomes primary behind PostgreSQL's back. Pure. */
export function brakingOf(
  { epoch, phase, committing, followedUntil }: JsonPhaseState,
  { at, fromSeq }: { readonly at: string; readonly fromSeq: number },
): JsonChange {
  const theirs = {
    epoch: Math.max(epoch, committing?.epoch ?? 0),
    phase: committing?.phase ?? phase,
  };
  return {
    epoch: theirs.epoch + BRAKE_EPOCHS,
    phase: 'json-primary',
    sealed: false,
    committing: null,
    catchUpSince: null,
    braked: { ...theirs, fromSeq, at, lacksSince: followedUntil ?? null },
  };
}

/** What a mending act of `reconcile` looks at. */
export interface MendFacts {
  readonly json: JsonPhaseState;
  readonly postgres: PostgresPhaseState | null;
  /** ISO instant now. */
  readonly now: string;
}

/**
 * The durable acts of a mending act, in order: whatever dies between two of them, the next look finds
 * the rest to do. After the brake the data is brought together between the first and the second. Pure.
 */
export function mendingActsOf(
  next: Reconciliation,
  { json: ours, postgres: theirs, now }: MendFacts,
): readonly StoreAct[] {
  const mine = { epoch: ours.epoch, phase: ours.phase };
  switch (next.act) {
    case 'none':
    case 'refuse':
      return [];
    case 'lift-json-seal':
      return [json({ sealed: false })];
    case 'forget-brake':
      return [json({ braked: null })];
  }
  if (theirs === null) throw new Error(`${next.act} needs PostgreSQL.`);
  const yours = { epoch: theirs.epoch, phase: theirs.phase };
  switch (next.act) {
    case 'pair': {
      const paired = postgres({ pairId: ours.pairId, ...mine, sealed: false });
      // The mark first: should this stop in between, pairing again only costs a second look.
      return ours.phase === 'json-primary'
        ? [json({ catchUpSince: ours.catchUpSince ?? now }), paired]
        : [paired];
    }
    case 'join': {
      const joined = json({ pairId: theirs.pairId ?? ours.pairId, ...yours });
      return theirs.phase === 'postgres-primary'
        ? [postgres({ catchUpSince: theirs.catchUpSince ?? now }), joined]
        : [joined];
    }
    case 'tell-json':
      return [json({ ...yours, sealed: false, committing: null })];
    case 'tell-postgres':
      return [postgres({ ...mine, sealed: false, catchUpSince: null })];
    case 'abort-commit':
      return [postgres({ epoch: next.epoch, phase: ours.phase, sealed: false })];
    case 'lift-postgres-seal':
      return [postgres({ sealed: false })];
    case 'return-from-brake': {
      const followed = postgres({ ...mine, sealed: false, catchUpSince: null });
      // Before anything else: another process may still write there.
      const sealed = primaryOf(theirs.phase) === 'postgres' && !theirs.sealed;
      return [...(sealed ? [postgres({ sealed: true })] : []), followed, json({ braked: null })];
    }
  }
}
