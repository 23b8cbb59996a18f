import {
  type Change,
  type ChangeOperation,
  type Item,
  type KeyItem,
  type Stamp,
  traceOf,
} from '../changes/index.ts';

/**
 * The data of a secondary-write job. pg-boss stores it as `jsonb`, which keeps neither number
 * spelling nor member order: the record's canonical text (and a key's outcome) therefore travels as
 * a JSON string inside it (I8).
 */
export type JobData =
  | {
      readonly format: 1;
      readonly kind: 'change';
      readonly change: Change;
      readonly trace?: string;
    }
  | { readonly format: 1; readonly kind: 'key'; readonly key: KeyItem; readonly trace?: string };

export type ReadJob =
  | { readonly ok: true; readonly item: Item }
  | { readonly ok: false; readonly problem: string };

const FORMAT = 1;
const OPERATIONS: readonly ChangeOperation[] = ['create', 'update', 'delete'];

/**
 * The job data of an item.
 * @throws {Error} when the item can't have come from a store: it would be unreadable in the queue
 */
export function toJobData(item: Item): JobData {
  const trace = traceOf(item.trace);
  const data: JobData =
    item.kind === 'change'
      ? { format: FORMAT, kind: 'change', change: item.change, ...trace }
      : { format: FORMAT, kind: 'key', key: item.key, ...trace };
  const problem = problemOf(data);
  if (problem !== undefined) throw new Error(`An item can't be queued: ${problem}.`);
  return data;
}

/** Reads job data back, trusting nothing: anything may have been put into the queue. */
export function readJobData(data: unknown): ReadJob {
  const problem = problemOf(data);
  if (problem !== undefined) return { ok: false, problem };
  const { format: _, trace, ...item } = data as JobData;
  // What is no trace is left out: it says nothing about the change.
  return { ok: true, item: { ...item, ...traceOf(trace) } };
}

function problemOf(data: unknown): string | undefined {
  if (!isObject(data)) return 'the job has no data';
  if (data.format !== FORMAT) return `its format is not ${FORMAT}`;
  if (data.kind === 'change') return changeProblem(data.change);
  if (data.kind === 'key') return keyProblem(data.key);
  return 'its kind is neither "change" nor "key"';
}

function changeProblem(change: unknown): string | undefined {
  if (!isObject(change)) return 'it carries no change';
  const { collection, id, base, op, record, at, idempotencyKey } = change;
  if (!isText(collection) || collection === '') return 'its collection is not a name';
  if (!isCount(id)) return 'its id is not a positive integer';
  if (!isStamp(change)) return 'its epoch and version are not positive integers';
  if (base !== null && !(isObject(base) && isStamp(base))) return 'its base is not a stamp';
  if (!OPERATIONS.some((known) => known === op)) return 'its operation is unknown';
  if (op === 'delete' ? record !== null : !isText(record)) return 'its record does not fit its op';
  if (!isText(at)) return 'its instant is not a text';
  if (idempotencyKey !== undefined && !isText(idempotencyKey)) return 'its key is not a text';
  return undefined;
}

function keyProblem(key: unknown): string | undefined {
  if (!isObject(key)) return 'it carries no key';
  for (const member of ['key', 'fingerprint', 'outcome', 'at']) {
    if (!isText(key[member])) return `its ${member} is not a text`;
  }
  return undefined;
}

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

/** `jsonb` holds neither NUL nor lone surrogates; canonical texts have them escaped only. */
const isText = (value: unknown): value is string =>
  typeof value === 'string' && value.isWellFormed() && !value.includes('\0');

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;

const isStamp = (value: Record<string, unknown>): value is Record<string, unknown> & Stamp =>
  isCount(value.epoch) && isCount(value.version);
