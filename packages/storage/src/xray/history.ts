import { type Change, type ChangeOperation, compareStamps, type Stamp } from '../changes/index.ts';
import type { JsonTrace, PostgresTrace, RecordJob } from './ports.ts';

/** Where a change of the record is known from. */
export const HISTORY_SOURCES = [
  'journal',
  'waiting job',
  'failed job',
  'active job',
  'dead letter',
  'divergence',
  'discarded letter',
  'json store',
  'postgres store',
] as const;
type HistorySource = (typeof HISTORY_SOURCES)[number];

/** One state of the record that is known of. */
export interface KnownState extends Stamp {
  /** `null` where only the state is known, not the change that made it. */
  readonly op: ChangeOperation | null;
  readonly at: string | null;
  /** The state it was made from; `null` of a creation; absent where it is not known. */
  readonly base?: Stamp | null;
  readonly idempotencyKey: string | null;
  /** The canonical text, `null` for a deletion. */
  readonly record: string | null;
  readonly knownFrom: readonly HistorySource[];
}

interface HistoryFacts {
  readonly json: JsonTrace | undefined;
  readonly postgres: PostgresTrace | undefined;
  readonly jobs: readonly RecordJob[];
}

const OF_JOB: Readonly<Record<RecordJob['state'], HistorySource>> = {
  waiting: 'waiting job',
  failed: 'failed job',
  active: 'active job',
  dead: 'dead letter',
};

/**
 * Every state of the record that stands anywhere, newest first. The same change from several places is
 * one; the same stamp with other content is another (a conflict). Pure.
 */
export function historyOf({ json, postgres, jobs }: HistoryFacts): readonly KnownState[] {
  const states = new Map<string, KnownState>();
  const add = (state: Omit<KnownState, 'knownFrom'>, source: HistorySource): void => {
    const name = `${state.epoch}-${state.version} ${state.record}`;
    const known = states.get(name);
    const knownFrom = [...new Set([...(known?.knownFrom ?? []), source])];
    states.set(name, { ...state, ...known, knownFrom });
  };
  for (const { change } of json?.changes ?? []) add(stateOf(change), 'journal');
  for (const { change, state } of jobs) add(stateOf(change), OF_JOB[state]);
  for (const { change } of postgres?.acts ?? []) {
    if (change !== null) add(stateOf(change), 'discarded letter');
  }
  // Last: the changes above say more of the same states.
  for (const { primary, secondary } of postgres?.divergences ?? []) {
    for (const side of [primary, secondary]) {
      if (side?.epoch === undefined || side.version === undefined) continue;
      add(heldState(side as Stamp, side.text), 'divergence');
    }
  }
  for (const [side, source] of [
    [json, 'json store'],
    [postgres, 'postgres store'],
  ] as const) {
    if (side?.entry === undefined) continue;
    add(heldState(side.entry, side.entry.text), source);
  }
  return [...states.values()].sort((a, b) => compareStamps(b, a));
}

const heldState = ({ epoch, version }: Stamp, record: string | null) => ({
  ...{ epoch, version, record, op: null, at: null, idempotencyKey: null },
});

function stateOf(change: Change): Omit<KnownState, 'knownFrom'> {
  const { epoch, version, base, op, at, record, idempotencyKey = null } = change;
  return { epoch, version, base, op, at, record, idempotencyKey };
}
