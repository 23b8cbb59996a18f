import { type Change, type Item, type KeyItem, type Stamp, traceOf } from '../changes/index.ts';

/**
 * What journal lines say (docs/json-format.md). Every line names its batch, so that one intact line of
 * a later batch proves that an earlier one was whole on disk.
 *
 *   {"kind":"change","batch":9,"seq":4,"collection":"expense","id":7,…,"at":"…","record":{…}}
 *   {"kind":"change","batch":9,"misfit":true,…}   a record the schema can't hold
 *   {"kind":"key","batch":9,"seq":5,"key":"…","fingerprint":"…","outcome":"…","at":"…"}
 *   {"kind":"ids","batch":9,"marks":{"expense":12}}
 *   {"kind":"commit","batch":9,"count":3,"durable":8}
 *
 * `seq` is there only where the item is in the outbox, `trace` only where its request was traced. `record` is the canonical text, byte for byte;
 * `,"record":` can't occur earlier, because a quote inside a JSON string is escaped.
 */
export type Payload =
  | {
      readonly kind: 'item';
      readonly batch: number;
      readonly seq?: number;
      readonly fits: boolean;
      readonly item: Item;
    }
  | {
      readonly kind: 'ids';
      readonly batch: number;
      readonly marks: Readonly<Record<string, number>>;
    }
  | {
      readonly kind: 'commit';
      readonly batch: number;
      readonly count: number;
      readonly durable: number;
    };

export interface SegmentHeader {
  readonly format: 1;
  readonly kind: 'journal';
  readonly storeId: string;
  readonly segment: number;
}

const RECORD_MEMBER = ',"record":';
const RECORD_BYTES = Buffer.from(RECORD_MEMBER);

const withSeq = (seq: number | undefined): { seq?: number } => (seq === undefined ? {} : { seq });

type ItemOf<Kind extends Item['kind']> = Extract<Item, { kind: Kind }>;

export const encodeKey = (
  { key, trace }: ItemOf<'key'>,
  batch: number,
  seq: number | undefined,
): string => JSON.stringify({ kind: 'key', batch, ...withSeq(seq), ...traceOf(trace), ...key });

/** The change up to its record, which {@link LineWriter.add} puts behind it. */
export function encodeChange(
  { change, trace }: ItemOf<'change'>,
  batch: number,
  seq: number | undefined,
  fits: boolean,
): string {
  const { collection, id, epoch, version, base, op, at, idempotencyKey } = change;
  // Put together by hand, in the order of the documentation: this runs for every write.
  const outboxed = seq === undefined ? '' : `,"seq":${seq}`;
  const misfit = fits ? '' : ',"misfit":true';
  const traced = trace === undefined ? '' : `,"trace":${JSON.stringify(trace)}`;
  const from = base === null ? 'null' : `{"epoch":${base.epoch},"version":${base.version}}`;
  const key =
    idempotencyKey === undefined ? '' : `,"idempotencyKey":${JSON.stringify(idempotencyKey)}`;
  return `{"kind":"change","batch":${batch}${outboxed}${misfit}${traced},"collection":${JSON.stringify(collection)},"id":${id},"epoch":${epoch},"version":${version},"base":${from},"op":"${op}","at":${JSON.stringify(at)}${key}${RECORD_MEMBER}`;
}

export const encodeMarks = (marks: Readonly<Record<string, number>>, batch: number): string =>
  JSON.stringify({ kind: 'ids', batch, marks });

export const encodeCommit = (batch: number, count: number): string =>
  JSON.stringify({ kind: 'commit', batch, count, durable: batch - 1 });

/** Splits a payload into the members before `record` (parsed) and the record's text. */
function splitRecord(
  buffer: Buffer,
  from: number,
  to: number,
): { members: Record<string, unknown>; record: string | null | undefined } {
  const payload = buffer.subarray(from, to);
  const at = payload.indexOf(RECORD_BYTES);
  if (at < 0) return { members: JSON.parse(payload.toString('utf8')), record: undefined };
  const members = JSON.parse(`${payload.toString('utf8', 0, at)}}`);
  const record = payload.toString('utf8', at + RECORD_BYTES.length, payload.length - 1);
  return { members, record: record === 'null' ? null : record };
}

const isCount = (value: unknown): value is number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0;

/**
 * Reads a payload back.
 * @throws {Error} with a sentence when it is none that this version writes
 */
export function decodePayload(buffer: Buffer, from: number, to: number): Payload {
  const { members, record } = splitRecord(buffer, from, to);
  const { kind, batch, seq, misfit, trace, ...rest } = members;
  if (!isCount(batch)) throw new Error('the line names no batch.');
  const sequence = isCount(seq) ? { seq } : {};
  if (kind === 'commit') return members as Payload & { kind: 'commit' };
  if (kind === 'ids') return members as Payload & { kind: 'ids' };
  if (kind === 'key') {
    const key = rest as unknown as KeyItem;
    const item: Item = { kind: 'key', key, ...traceOf(trace) };
    return { kind: 'item', batch, ...sequence, fits: true, item };
  }
  if (kind !== 'change' || record === undefined || !isStamp(rest) || !isCount(rest.id)) {
    throw new Error('the line is of no known kind.');
  }
  const change = { ...rest, record } as unknown as Change;
  const fits = misfit !== true;
  const item: Item = { kind: 'change', change, ...traceOf(trace) };
  return { kind: 'item', batch, ...sequence, fits, item };
}

const isStamp = (value: object): value is Stamp =>
  'epoch' in value && isCount(value.epoch) && 'version' in value && isCount(value.version);
