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
const FIRST_BYTES = 1 << 16;

/**
 * Collects JSON laid out as Python's `json.dump(…, indent=2, ensure_ascii=False)` does. Works on the
 * bytes alone: strings and numbers keep their spelling.
 */
export class LegacyLayout {
  #source: Buffer = Buffer.allocUnsafe(FIRST_BYTES);
  #out: Buffer = Buffer.allocUnsafeSlow(FIRST_BYTES);
  #length = 0;

  /** Bytes collected since the last `take`. */
  get bytes(): number {
    return this.#length;
  }

  /** Adds text as it is. */
  addPlain(text: string): void {
    this.#makeRoom(text.length * UNIT_BYTES_MAX);
    this.#length += this.#out.write(text, this.#length);
  }

  /**
   * Adds a value, laid out.
   * @param text compact JSON, as `JSON.stringify` writes it
   * @param depth how deep the value itself stands
   */
  addValue(text: string, depth: number): void {
    const bytesMax = text.length * UNIT_BYTES_MAX;
    if (this.#source.length < bytesMax) this.#source = Buffer.allocUnsafe(bytesMax);
    const source = this.#source;
    const length = source.write(text, 0);
    this.#makeRoom(length);
    let out: Buffer = this.#out;
    let to = this.#length;
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

  /** What was collected. It belongs to the caller: a new buffer is begun. */
  take(): Buffer {
    const bytes = this.#out.subarray(0, this.#length);
    this.#out = Buffer.allocUnsafeSlow(FIRST_BYTES);
    this.#length = 0;
    return bytes;
  }

  /** The output, with room for this many bytes behind `length`, and what is before it kept. */
  #roomFor(length: number, bytes: number): Buffer {
    this.#length = length;
    this.#makeRoom(bytes);
    return this.#out;
  }

  #makeRoom(bytes: number): void {
    const wanted = this.#length + bytes;
    if (wanted <= this.#out.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(wanted, 2 * this.#out.length));
    this.#out.copy(larger, 0, 0, this.#length);
    this.#out = larger;
  }
}

const isEnd = (byte: number | undefined): boolean => byte === OBJECT_END || byte === ARRAY_END;

/** Where the string that starts at `from` has its closing quote. */
function endOfString(source: Buffer, from: number): number {
  let at = from + 1;
  while (source[at] !== QUOTE) at += source[at] === BACKSLASH ? 2 : 1;
  return at;
}
