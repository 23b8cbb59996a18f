import { crc32 } from 'node:zlib';
import type { OpenFile } from './file-system.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { readInto } from './whole-file.ts';

/**
 * Lines of journal segments and state files (docs/json-format.md):
 *
 *   <payload bytes, 8 hex> <crc32, 8 hex> <payload: one JSON object, UTF-8>\n
 *
 * The checksum is the CRC-32 (ISO 3309, as in zlib) of the payload, seeded with the checksum of the
 * line before; the first line of a file is seeded with 0.
 */
const PREFIX_BYTES = 18;
const SPACE = 0x20;
const NEWLINE = 0x0a;
const BRACE = 0x7d;
const READ_BYTES = 1 << 20;
/** What is read at once where requests are served meanwhile: its lines take about a millisecond. */
export const SLICE_BYTES = 1 << 16;

/** UTF-8 needs at most this many bytes for a UTF-16 unit. */
const UNIT_BYTES_MAX = 3;
const HEX_DIGITS = Buffer.from('0123456789abcdef', 'latin1');

/** Writes a number as 8 lower-case hex digits. */
function writeHex(buffer: Buffer, value: number, from: number): void {
  for (let at = from + 7, rest = value; at >= from; at--, rest >>>= 4) {
    buffer[at] = HEX_DIGITS[rest & 15] as number;
  }
}

/** Collects lines, chained from a checksum on. */
export class LineWriter {
  #checksum: number;
  #bytes = 0;
  readonly #memory: GrowingBuffer;

  /** @param memory what the lines are written to; of one writer at a time */
  constructor(seed: number, memory = new GrowingBuffer()) {
    this.#checksum = seed;
    this.#memory = memory;
  }

  get checksum(): number {
    return this.#checksum;
  }

  /** Bytes collected since the last `take`. */
  get bytes(): number {
    return this.#bytes;
  }

  /**
   * Adds a line.
   * @param record goes behind the payload, with a closing brace: put together as one string first, a
   *   record's text would be copied twice more
   */
  add(payload: string | Uint8Array, record?: string): void {
    const isText = typeof payload === 'string';
    const units = payload.length + (record?.length ?? 0);
    const most = PREFIX_BYTES + 2 + units * (isText ? UNIT_BYTES_MAX : 1);
    const buffer = this.#memory.reserve(this.#bytes + most, this.#bytes);
    const from = this.#bytes + PREFIX_BYTES;
    if (!isText) buffer.set(payload, from);
    let end = from + (isText ? buffer.write(payload, from) : payload.length);
    if (record !== undefined) {
      end += buffer.write(record, end);
      buffer[end++] = BRACE;
    }
    this.#checksum = crc32(buffer.subarray(from, end), this.#checksum);
    writeHex(buffer, end - from, from - PREFIX_BYTES);
    buffer[from - 10] = SPACE;
    writeHex(buffer, this.#checksum, from - 9);
    buffer[from - 1] = SPACE;
    buffer[end] = NEWLINE;
    this.#bytes = end + 1;
  }

  /** The lines so far. They stand until the next one is added. */
  take(): Buffer {
    const bytes = this.#memory.bytes.subarray(0, this.#bytes);
    this.#bytes = 0;
    return bytes;
  }
}

/** One intact line: its payload is `buffer[from, to)`, which stands while it is visited; `offset` and `end` are places in the file. */
export interface Line {
  readonly buffer: Buffer;
  readonly from: number;
  readonly to: number;
  readonly offset: number;
  readonly end: number;
  readonly checksum: number;
}

/** Up to where a file's lines are intact, and why not further (`undefined`: they end there). */
export interface ScanEnd {
  readonly offset: number;
  readonly checksum: number;
  readonly problem?: string;
}

/** A hex number of 8 lower-case digits, or -1. */
function readHex(buffer: Buffer, from: number): number {
  let value = 0;
  for (let at = from; at < from + 8; at++) {
    const byte = buffer[at] ?? 0;
    const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : byte - 0x57;
    if (digit < 0 || digit > 15 || (byte > 0x39 && byte < 0x61)) return -1;
    value = value * 16 + digit;
  }
  return value;
}

/** The stored checksum of the line at `from`, or -1 when its prefix is not legible. */
export function storedChecksum(buffer: Buffer, from: number): number {
  if (from + PREFIX_BYTES > buffer.length) return -1;
  if (buffer[from + 8] !== SPACE || buffer[from + 17] !== SPACE) return -1;
  return readHex(buffer, from) < 0 ? -1 : readHex(buffer, from + 9);
}

/**
 * Checks the line at `from` of a buffer.
 * @returns the payload's range and the line's checksum; `'short'` when more bytes are needed; or
 *   what is wrong
 */
export function checkLine(
  buffer: Buffer,
  from: number,
  seed: number,
): { from: number; to: number; checksum: number } | 'short' | { problem: string } {
  if (from + PREFIX_BYTES > buffer.length) return 'short';
  const stored = storedChecksum(buffer, from);
  if (stored < 0) return { problem: 'what stands there is not the beginning of a line.' };
  const start = from + PREFIX_BYTES;
  const end = start + readHex(buffer, from);
  if (end >= buffer.length) return 'short';
  if (buffer[end] !== NEWLINE) return { problem: "the line's length does not fit." };
  const checksum = crc32(buffer.subarray(start, end), seed);
  if (checksum !== stored) return { problem: "the line's checksum does not fit." };
  return { from: start, to: end, checksum };
}

const ZEROS = Buffer.alloc(SLICE_BYTES);

const isZeros = (bytes: Buffer): boolean => ZEROS.subarray(0, bytes.length).equals(bytes);

/** Whether a file has nothing but zeros from a place on: room that was reserved and not written to. */
async function isRoomUpTo(file: OpenFile, from: number, to: number): Promise<boolean> {
  const buffer = Buffer.allocUnsafe(Math.min(SLICE_BYTES, to - from));
  for (let at = from; at < to; ) {
    const piece = buffer.subarray(0, Math.min(buffer.length, to - at));
    const read = await readInto(file, at, piece);
    if (!isZeros(piece.subarray(0, read))) return false;
    if (read < piece.length) return true;
    at += read;
  }
  return true;
}

/**
 * Visits every intact line from a place on, in order, reading the file in pieces. Reserved room, zeros up to
 * the end of the file, is no problem: the lines end before it.
 * @param visit returns `false` to stop after a line
 */
export async function scanLines(
  file: OpenFile,
  start: { readonly offset: number; readonly checksum: number },
  visit: (line: Line) => boolean | undefined,
  until = Number.POSITIVE_INFINITY,
  readBytes = READ_BYTES,
): Promise<ScanEnd> {
  let { offset, checksum } = start;
  const memory = new GrowingBuffer();
  let buffer = memory.bytes.subarray(0, 0);
  let base = offset;
  // A small file is read with a small buffer; what is appended meanwhile is the next scan's.
  const stop = Math.min(until, await file.size());
  for (;;) {
    const checked = checkLine(buffer, offset - base, checksum);
    if (checked === 'short') {
      const rest = buffer.subarray(offset - base);
      // A line longer than what was read so far doubles the piece, so it is read a bounded number
      // of times; a damaged length merely reads up to the end of the file.
      const wanted = Math.min(Math.max(readBytes, rest.length), stop - offset - rest.length);
      memory.bytes.set(rest);
      const into = memory.reserve(rest.length + Math.max(wanted, 0), rest.length);
      const more = await readInto(
        file,
        offset + rest.length,
        into.subarray(rest.length, rest.length + Math.max(wanted, 0)),
      );
      if (more === 0) {
        return rest.length < PREFIX_BYTES && isZeros(rest)
          ? { offset, checksum }
          : { offset, checksum, problem: 'the file ends in the middle of a line.' };
      }
      buffer = into.subarray(0, rest.length + more);
      base = offset;
      continue;
    }
    if ('problem' in checked) {
      const isRoom = buffer[offset - base] === 0 && (await isRoomUpTo(file, offset, stop));
      return { offset, checksum, ...(isRoom ? {} : { problem: checked.problem }) };
    }
    const end = base + checked.to + 1;
    const go = visit({
      buffer,
      from: checked.from,
      to: checked.to,
      offset,
      end,
      checksum: checked.checksum,
    });
    offset = end;
    checksum = checked.checksum;
    if (go === false) return { offset, checksum };
  }
}
