//   json/ ──── trace ──┐
//   postgres/ ─ trace ─┼──> put together (pure) ──> what each holds, and why they differ
//   replication/ jobs ─┘     one that can't be read is a sentence, and the others are shown
import { setTimeout as sleep } from 'node:timers/promises';
import { compareStamps, type KeyItem, type Stamp } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import { type LedgerEntry, needsChoice } from '../consistency/index.ts';
import { sentenceOf, TandemError } from '../errors.ts';
import { furthestOf, type Phase, primaryOf, type StoreName, secondaryOf } from '../phase/index.ts';
import { type FieldSides, fieldsOf } from './fields.ts';
import { historyOf, type KnownState } from './history.ts';
import type {
  JsonRecords,
  JsonTrace,
  PostgresRecords,
  PostgresTrace,
  RecordAct,
  RecordJob,
  RecordJobs,
  RecordName,
} from './ports.ts';

/** What one store holds of the record. */
export type StoreSide =
  | { readonly readable: false; readonly problem: string }
  | {
      readonly readable: true;
      /** The phase and epoch of the store itself. */
      readonly phase: Phase;
      readonly epoch: number;
      readonly state: 'live' | 'deleted' | 'none';
      /** `null` where it has nothing. */
      readonly stamp: Stamp | null;
      /** What the state was made from, `null` for a creation; absent where it is not known any more. */
      readonly base?: Stamp | null;
      readonly text: string | null;
      /** The schema can't hold it. */
      readonly mappingError: boolean;
    };

/** A key that named a change of the record. */
interface RecordKey {
  readonly key: string;
  /** Stores that are known to have it. */
  readonly knownTo: readonly StoreName[];
  readonly at: string;
  /** JSON text of the answer it stands for. */
  readonly outcome: string;
}

/** Everything that is known of one record. */
export interface RecordXray extends RecordName {
  /** ISO instant of the look. */
  readonly at: string;
  /** `null` when neither store could be read. */
  readonly phase: Phase | null;
  readonly primary: StoreName | null;
  readonly secondary: StoreName | null;
  readonly json: StoreSide;
  readonly postgres: StoreSide;
  /** Whether both say the same; `null` when one can't be read. */
  readonly same: boolean | null;
  /** One sentence for a person. */
  readonly verdict: string;
  readonly fields: readonly FieldSides[];
  /** Changes in the journal that are not in the queue yet; `null` while that can't be told. */
  readonly notRelayed: readonly { readonly seq: number; readonly stamp: Stamp }[] | null;
  /** Waiting, failed and active jobs, and dead letters; `null` when the queue can't be read. */
  readonly jobs: readonly RecordJob[] | null;
  readonly divergences: readonly LedgerEntry[];
  /** What operators did to its dead letters. */
  readonly acts: readonly RecordAct[];
  readonly keys: readonly RecordKey[];
  /** Newest first. */
  readonly history: readonly KnownState[];
}

export interface XrayPorts {
  readonly collections: readonly Collection[];
  readonly json: JsonRecords;
  /** A sentence when there is no database to ask. */
  readonly database: { readonly records: PostgresRecords; readonly jobs: RecordJobs } | string;
}

/** Times that what nothing explains is looked at. */
const LOOKS_MAX = 3;
const LOOK_INTERVAL_MS = 300;
const UNEXPLAINED = 'The stores differ, and nothing on its way explains it.';

type Look<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; problem: string };

async function attempt<T>(work: () => Promise<T>): Promise<Look<T>> {
  try {
    return { ok: true, value: await work() };
  } catch (error) {
    return { ok: false, problem: sentenceOf(error) };
  }
}

const seenOf = <T>(look: Look<T>): T | undefined => (look.ok ? look.value : undefined);

/**
 * Looks at one record wherever it may stand, without a lock. A store or queue that can't be read is
 * told as such. The places are read one after the other: a difference that nothing explains may be a
 * change that moved on in between, and is looked at again before it is called one.
 * @throws {TandemError} `not-found` when there is no such collection
 */
export async function xrayRecord(
  { collection: named, id }: RecordName,
  ports: XrayPorts,
): Promise<RecordXray> {
  const record = { collection: named, id };
  const collection = ports.collections.find(({ name }) => name === record.collection);
  if (collection === undefined) {
    const names = ports.collections.map(({ name }) => name).join(', ');
    const sentence = `There is no collection ${record.collection}; there are ${names}.`;
    throw new TandemError('not-found', sentence);
  }
  for (let looks = 1; ; looks++) {
    const { isExplained, ...xray } = await look(collection, record, ports);
    if (isExplained || looks === LOOKS_MAX) return xray;
    await sleep(LOOK_INTERVAL_MS);
  }
}

/** The record that a dead letter is about; `null` of a collection that this version does not have. */
export async function xrayIfKnown(
  record: RecordName,
  ports: XrayPorts,
): Promise<RecordXray | null> {
  const isKnown = ports.collections.some(({ name }) => name === record.collection);
  return isKnown ? xrayRecord(record, ports) : null;
}

async function look(
  collection: Collection,
  record: RecordName,
  ports: XrayPorts,
): Promise<RecordXray & { readonly isExplained: boolean }> {
  const at = new Date().toISOString();
  const { database } = ports;
  const away = { ok: false, problem: typeof database === 'string' ? database : '' } as const;
  const isThere = typeof database !== 'string';
  const postgres = isThere ? await attempt(() => database.records.trace(record)) : away;
  const jobs = isThere ? await attempt(() => database.jobs.ofRecord(record)) : away;
  const json = await attempt(() => ports.json.trace(record));
  const history = historyOf({
    ...{ json: seenOf(json), postgres: seenOf(postgres), jobs: seenOf(jobs) ?? [] },
  });
  const named = history.flatMap(({ idempotencyKey }) => idempotencyKey ?? []);
  const keys = isThere ? await attempt(() => database.records.keys([...new Set(named)])) : away;
  return putTogether(collection, record, at, { json, postgres, jobs, keys, history });
}

interface Looks {
  readonly json: Look<JsonTrace>;
  readonly postgres: Look<PostgresTrace>;
  readonly jobs: Look<readonly RecordJob[]>;
  readonly keys: Look<readonly KeyItem[]>;
  readonly history: readonly KnownState[];
}

function putTogether(
  collection: Collection,
  record: RecordName,
  at: string,
  { json, postgres, jobs, keys, history }: Looks,
): RecordXray & { readonly isExplained: boolean } {
  const ours = seenOf(json);
  const theirs = seenOf(postgres);
  const standing = [ours, theirs].flatMap((side) => (side === undefined ? [] : [side.phase]));
  const phase = standing.length === 0 ? null : furthestOf(standing).phase;
  const textOf = (look: Look<JsonTrace | PostgresTrace>): string | null | undefined =>
    look.ok ? (look.value.entry?.text ?? null) : undefined;
  const xray = {
    ...record,
    at,
    phase,
    primary: phase === null ? null : primaryOf(phase),
    secondary: phase === null ? null : secondaryOf(phase),
    json: sideOf(json, history, ours?.fits === false),
    postgres: sideOf(postgres, history, false),
    same: sameOf(ours, theirs),
    fields: fieldsOf(collection, { json: textOf(json), postgres: textOf(postgres) }),
    notRelayed: notRelayedOf(phase, ours, theirs),
    jobs: seenOf(jobs) ?? null,
    divergences: theirs?.divergences ?? [],
    acts: theirs?.acts ?? [],
    keys: keysOf(ours?.keys ?? [], seenOf(keys) ?? []),
    history,
  };
  const verdict = verdictOf(xray);
  return { ...xray, verdict, isExplained: verdict !== UNEXPLAINED };
}

function sideOf(
  look: Look<JsonTrace | PostgresTrace>,
  history: readonly KnownState[],
  mappingError: boolean,
): StoreSide {
  if (!look.ok) return { readable: false, problem: look.problem };
  const { phase, entry } = look.value;
  const known = { readable: true, phase: phase.phase, epoch: phase.epoch, mappingError } as const;
  if (entry === undefined) return { ...known, state: 'none', stamp: null, text: null };
  const { epoch, version, text } = entry;
  const made = history.find(
    (one) => compareStamps(one, entry) === 0 && one.record === text && one.base !== undefined,
  );
  return {
    ...known,
    ...{ state: text === null ? 'deleted' : 'live', stamp: { epoch, version }, text },
    ...(made?.base === undefined ? {} : { base: made.base }),
  };
}

/** A tombstone beside nothing says the same as nothing. */
function sameOf(json: JsonTrace | undefined, postgres: PostgresTrace | undefined): boolean | null {
  if (json === undefined || postgres === undefined) return null;
  const ours = json.entry;
  const theirs = postgres.entry;
  if (ours === undefined || theirs === undefined) return ((ours ?? theirs)?.text ?? null) === null;
  return compareStamps(ours, theirs) === 0 && ours.text === theirs.text;
}

/** The journal is the outbox in `json-primary` only. */
function notRelayedOf(
  phase: Phase | null,
  json: JsonTrace | undefined,
  postgres: PostgresTrace | undefined,
): RecordXray['notRelayed'] {
  if (json === undefined || phase === null) return null;
  if (phase !== 'json-primary') return [];
  if (postgres === undefined) return null;
  return json.changes.flatMap(({ seq, change: { epoch, version } }) =>
    seq !== null && seq > postgres.relayedSeq ? [{ seq, stamp: { epoch, version } }] : [],
  );
}

function keysOf(json: readonly KeyItem[], postgres: readonly KeyItem[]): readonly RecordKey[] {
  const found = new Map<string, RecordKey>();
  for (const [store, items] of [['json', json] as const, ['postgres', postgres] as const]) {
    for (const { key, at, outcome } of items) {
      const knownTo = [...(found.get(key)?.knownTo ?? []), store];
      found.set(key, { key, at, outcome, knownTo });
    }
  }
  return [...found.values()];
}

/** Why the stores differ, as far as it can be told. */
function verdictOf(xray: Omit<RecordXray, 'verdict'>): string {
  const { json, postgres, same, primary, secondary, jobs, notRelayed } = xray;
  if (!json.readable && !postgres.readable) return 'Neither store can be read.';
  if (!json.readable) return 'The JSON store can’t be read; PostgreSQL alone is shown.';
  if (!postgres.readable) return 'PostgreSQL can’t be read; the JSON store alone is shown.';
  if (json.mappingError) return 'PostgreSQL can’t hold this record as it is (a mapping error).';
  const open = xray.divergences.find((one) => one.resolvedAt === null && needsChoice(one));
  if (open !== undefined) return `A ${open.class} waits for a decision.`;
  if (same === true) {
    return json.state === 'live' ? 'Both stores hold the same state.' : 'Neither store holds it.';
  }
  if (secondary === null) return `In ${xray.phase} the other store is not written.`;
  const behind = primary === 'json' ? postgres : json;
  const isNewer = (stamp: Stamp): boolean =>
    behind.stamp === null || compareStamps(stamp, behind.stamp) > 0;
  if (notRelayed?.some(({ stamp }) => isNewer(stamp))) {
    return 'A change of it is in the journal and not in the queue yet.';
  }
  const towards = (jobs ?? []).filter(
    ({ direction, change }) => direction === secondary && isNewer(change),
  );
  const failed = towards.find(({ state }) => state === 'failed');
  if (failed !== undefined) return `A change of it is tried again: ${failed.error}`;
  if (towards.some(({ state }) => state !== 'dead')) return 'A change of it is on its way.';
  const dead = towards.at(-1);
  if (dead !== undefined) return `A change of it is a dead letter: ${dead.error}`;
  return UNEXPLAINED;
}
