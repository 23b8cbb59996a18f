import type { Stamp } from '../changes/index.ts';

/**
 * Records and tombstones as a state file has them (docs/json-format.md):
 *
 *   {"id":1,"epoch":1,"version":1,"record":{…}}
 *   {"id":2,"epoch":1,"version":1,"misfit":true,"record":{…}}
 *
 * A store has a million of them: they are taken apart byte by byte, in this one form and no other,
 * which costs a third of looking for the record and parsing what is before it.
 */
const ID = Buffer.from('{"id":');
const EPOCH = Buffer.from(',"epoch":');
const VERSION = Buffer.from(',"version":');
const MISFIT = Buffer.from(',"misfit":true');
const RECORD = Buffer.from(',"record":');
const NULL = Buffer.from('null');
const ZERO = 0x30;
const BRACE = 0x7d;
/** Digits of the largest safe integer. */
const DIGITS_MAX = 16;

export interface StateEntry extends Stamp {
  readonly id: number;
  readonly misfit: boolean;
  /** The canonical text; `null` for a tombstone. */
  readonly text: string | null;
}

/** The entry up to its record, which {@link LineWriter.add} puts behind it. */
export const encodeEntry = (
  { id, epoch, version }: Stamp & { readonly id: number },
  misfit: boolean,
): string =>
  `{"id":${id},"epoch":${epoch},"version":${version}${misfit ? ',"misfit":true' : ''},"record":`;

/** @returns `undefined` when the payload `buffer[from, to)` is not an entry in exactly this form */
export function decodeEntry(buffer: Buffer, from: number, to: number): StateEntry | undefined {
  const reader = new Reader(buffer, from);
  const id = reader.number(ID);
  const epoch = reader.number(EPOCH);
  const version = reader.number(VERSION);
  const misfit = reader.takes(MISFIT);
  if (!(id >= 0 && epoch >= 0 && version >= 0) || !reader.takes(RECORD)) return undefined;
  const start = reader.at;
  const end = to - 1;
  if (end <= start || buffer[end] !== BRACE) return undefined;
  const isNull = end - start === NULL.length && reader.takes(NULL);
  return { id, epoch, version, misfit, text: isNull ? null : buffer.toString('utf8', start, end) };
}

class Reader {
  readonly #buffer: Buffer;
  at: number;

  constructor(buffer: Buffer, at: number) {
    this.#buffer = buffer;
    this.at = at;
  }

  /** Steps over these bytes if they come next. */
  takes(bytes: Buffer): boolean {
    for (let i = 0; i < bytes.length; i++) {
      if (this.#buffer[this.at + i] !== bytes[i]) return false;
    }
    this.at += bytes.length;
    return true;
  }

  /** The number that follows these bytes, or `NaN`. */
  number(label: Buffer): number {
    if (!this.takes(label)) return Number.NaN;
    const first = this.at;
    let value = 0;
    for (; this.at - first <= DIGITS_MAX; this.at++) {
      const digit = (this.#buffer[this.at] as number) - ZERO;
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
    }
    return this.at > first && Number.isSafeInteger(value) ? value : Number.NaN;
  }
}
