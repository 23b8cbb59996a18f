const FIRST_BYTES = 1 << 14;

/**
 * Memory for output that is written again and again. A new buffer each time would be cheap by itself,
 * but V8 counts it, and walks the whole heap for every 64 MB of them: with a million records in it,
 * that holds the event loop up for a tenth of a second, every second or two.
 */
export class GrowingBuffer {
  #bytes = Buffer.allocUnsafeSlow(FIRST_BYTES);

  get bytes(): Buffer {
    return this.#bytes;
  }

  /** The buffer with room for `length` bytes; its first `kept` bytes are as they were. */
  reserve(length: number, kept: number): Buffer {
    if (length > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(Math.max(length, 2 * this.#bytes.length));
      this.#bytes.copy(larger, 0, 0, kept);
      this.#bytes = larger;
    }
    return this.#bytes;
  }
}
