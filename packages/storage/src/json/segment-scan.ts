//   header │ batch 7: line line commit │ batch 8: line commit │ batch 9: line li
//          └─ mark: known durable                             └─ position      └─ torn, or damaged?
//   An intact line of batch 10 or later would prove that batch 9 was once whole: damage (I12).
import { TandemError } from '../errors.ts';
import type { OpenFile } from './file-system.ts';
import { decodePayload, type Payload, type SegmentHeader } from './journal-payload.ts';
import { checkLine, scanLines, storedChecksum } from './line-codec.ts';
import { FORMAT, newerFormat } from './manifest.ts';
import { readRange, refusal } from './whole-file.ts';

/** A place between two batches: byte offset, chain checksum, last batch and outbox seq before it. */
export interface Position {
  readonly offset: number;
  readonly checksum: number;
  readonly batch: number;
  readonly seq: number;
}

type ItemPayload = Exclude<Payload, { kind: 'commit' }>;

export interface SegmentScan {
  /** Behind the last whole batch. */
  readonly position: Position;
  /** Why the next batch is not whole; `undefined` when nothing follows. */
  readonly problem?: { readonly offset: number; readonly reason: string };
}

const RESTORE =
  'Keep a copy of this folder and restore it from a backup; the checkpoint files beside .tandem are whole as of the last checkpoint.';

export const damagedSegment = (path: string, offset: number, reason: string): TandemError =>
  refusal(path, `the journal is damaged: ${reason}`, RESTORE, { offset });

/**
 * Checks a segment's header line.
 * @returns the place of its first batch
 * @throws {TandemError} `refused-to-open`
 */
export async function readHeader(
  file: OpenFile,
  path: string,
  expected: { readonly storeId: string; readonly number: number },
): Promise<{ offset: number; checksum: number }> {
  let header: SegmentHeader | undefined;
  const end = await scanLines(file, { offset: 0, checksum: 0 }, (line) => {
    header = JSON.parse(line.buffer.toString('utf8', line.from, line.to));
    return false;
  });
  if (header === undefined) throw damagedSegment(path, 0, end.problem ?? 'it is empty.');
  if (header.format > FORMAT) throw newerFormat(path, header.format);
  if (header.storeId !== expected.storeId || header.segment !== expected.number) {
    throw damagedSegment(path, 0, 'it belongs to another store or place.');
  }
  return { offset: end.offset, checksum: end.checksum };
}

/** Visits the whole batches from a position on, in order. */
export async function scanBatches(
  file: OpenFile,
  path: string,
  from: Position,
  visit: (items: readonly ItemPayload[]) => void,
  until?: number,
  readBytes?: number,
): Promise<SegmentScan> {
  let position = from;
  let items: ItemPayload[] = [];
  let seq = from.seq;
  const end = await scanLines(
    file,
    from,
    (line) => {
      const payload = decode(path, line);
      const batch = position.batch + 1;
      if (payload.batch !== batch) {
        throw damagedSegment(path, line.offset, `a line of batch ${batch} was expected there.`);
      }
      if (payload.kind === 'commit') {
        if (payload.count !== items.length) {
          throw damagedSegment(path, line.offset, 'the batch lacks lines.');
        }
        visit(items);
        items = [];
        position = { offset: line.end, checksum: line.checksum, batch, seq };
        return undefined;
      }
      if (payload.kind === 'item' && payload.seq !== undefined) {
        seq++;
        if (payload.seq !== seq) {
          throw damagedSegment(path, line.offset, `outbox item ${seq} was expected there.`);
        }
      }
      items.push(payload);
      return undefined;
    },
    until,
    readBytes,
  );
  if (end.problem !== undefined) {
    return { position, problem: { offset: end.offset, reason: end.problem } };
  }
  if (items.length === 0) return { position };
  const reason = 'the file ends before the batch does.';
  return { position, problem: { offset: end.offset, reason } };
}

function decode(
  path: string,
  line: { buffer: Buffer; from: number; to: number; offset: number },
): Payload {
  try {
    return decodePayload(line.buffer, line.from, line.to);
  } catch (error) {
    if (error instanceof TandemError) throw error;
    const reason = error instanceof Error ? error.message : String(error);
    throw damagedSegment(path, line.offset, reason);
  }
}

/**
 * Looks behind a problem for an intact line of a later batch. Lines are chained, so a line is checked
 * with the checksum that stands in the line before it.
 * @returns the later batch's number, or `undefined`: what follows the position is a torn tail
 */
export async function laterBatch(file: OpenFile, after: Position): Promise<number | undefined> {
  const size = await file.size();
  const rest = await readRange(file, after.offset, size - after.offset);
  let seed = -1;
  for (let start = 0; start < rest.length; ) {
    const line = seed < 0 ? 'short' : checkLine(rest, start, seed);
    if (typeof line === 'object' && 'checksum' in line) {
      const batch = batchOf(rest, line.from, line.to);
      if (batch !== undefined && batch > after.batch + 1) return batch;
    }
    seed = storedChecksum(rest, start);
    const newline = rest.indexOf(0x0a, start);
    if (newline < 0) return undefined;
    start = newline + 1;
  }
  return undefined;
}

function batchOf(buffer: Buffer, from: number, to: number): number | undefined {
  try {
    return decodePayload(buffer, from, to).batch;
  } catch {
    // Not a payload of ours, although its checksum fits: no proof of anything.
    return undefined;
  }
}
