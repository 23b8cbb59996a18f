import { GrowingBuffer } from './growing-buffer.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const COMMA = 0x2c;
const COLON = 0x3a;
const OBJECT_START = 0x7b;
const OBJECT_END = 0x7d;
const ARRAY_START = 0x5b;
const ARRAY_END = 0x5d;
const NEWLINE = 0x0a;
const SPACE = 0x20;

const INDENT = 2;
const UNIT_BYTES_MAX = 3;

/**
 * Collects JSON laid out as Python's `json.dump(…, indent=2, ensure_ascii=False)` does. Works on the
 * bytes alone: strings and numbers keep their spelling.
 */
export class LegacyLayout {
  readonly #source = new GrowingBuffer();
  readonly #out = new GrowingBuffer();
  #length = 0;

  /** Bytes collected since the last `take`. */
  get bytes(): number {
    return this.#length;
  }

  /** Adds text as it is. */
  addPlain(text: string): void {
    const out = this.#roomFor(this.#length, text.length * UNIT_BYTES_MAX);
    this.#length += out.write(text, this.#length);
  }

  /**
   * Adds a value, laid out.
   * @param text compact JSON, as `JSON.stringify` writes it
   * @param depth how deep the value itself stands
   */
  addValue(text: string, depth: number): void {
    const source = this.#source.reserve(text.length * UNIT_BYTES_MAX, 0);
    const length = source.write(text, 0);
    let to = this.#length;
    let out = this.#roomFor(to, length);
    let level = depth;
    for (let at = 0; at < length; at++) {
      const byte = source[at] as number;
      if (byte === QUOTE) {
        const end = endOfString(source, at);
        for (; at < end; at++) out[to++] = source[at] as number;
        out[to++] = QUOTE;
        continue;
      }
      const opens = byte === OBJECT_START || byte === ARRAY_START;
      const closes = byte === OBJECT_END || byte === ARRAY_END;
      if (!opens && !closes && byte !== COMMA) {
        out[to++] = byte;
        if (byte === COLON) {
          out = this.#roomFor(to, length - at);
          out[to++] = SPACE;
        }
        continue;
      }
      if (opens && isEnd(source[at + 1])) {
        out[to++] = byte;
        out[to++] = source[++at] as number;
        continue;
      }
      if (opens) level++;
      else if (closes) level--;
      else out[to++] = byte;
      if (opens) out[to++] = byte;
      out = this.#roomFor(to, 1 + INDENT * level + length - at);
      out[to++] = NEWLINE;
      out.fill(SPACE, to, to + INDENT * level);
      to += INDENT * level;
      if (closes) out[to++] = byte;
    }
    this.#length = to;
  }

  /** What was collected. It stands until more is added. */
  take(): Buffer {
    const bytes = this.#out.bytes.subarray(0, this.#length);
    this.#length = 0;
    return bytes;
  }

  /** The output, with room for this many bytes behind `length`, and what is before it kept. */
  #roomFor(length: number, bytes: number): Buffer {
    return this.#out.reserve(length + bytes, length);
  }
}

const isEnd = (byte: number | undefined): boolean => byte === OBJECT_END || byte === ARRAY_END;

/** Where the string that starts at `from` has its closing quote. */
function endOfString(source: Buffer, from: number): number {
  let at = from + 1;
  while (source[at] !== QUOTE) at += source[at] === BACKSLASH ? 2 : 1;
  return at;
}
