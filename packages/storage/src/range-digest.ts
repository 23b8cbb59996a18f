import { createHash } from 'node:crypto';
import { RANGE_IDS, type RangeDigest, type ScanEntry } from './store.ts';

/**
 * Digests of the ranges of entries, which are by ascending id. A range's digest is the MD5 of its lines,
 * `id epoch-version text` for a record and `id epoch-version` for a tombstone, with a line feed between:
 * PostgreSQL computes the same (`postgres/range-digests.ts`). It guards against faults, not against people.
 */
export class RangeDigester {
  readonly #done: RangeDigest[] = [];
  #range = -1;
  #count = 0;
  #hash = createHash('md5');

  add({ id, epoch, version, text }: ScanEntry): void {
    const range = Math.floor(id / RANGE_IDS);
    if (range !== this.#range) this.#end(range);
    const line = `${id} ${epoch}-${version}${text === null ? '' : ` ${text}`}`;
    this.#hash.update(this.#count === 0 ? line : `\n${line}`);
    this.#count += 1;
  }

  digests(): readonly RangeDigest[] {
    this.#end(-1);
    return this.#done;
  }

  #end(next: number): void {
    if (this.#count > 0) {
      const digest = this.#hash.digest('hex');
      this.#done.push({ range: this.#range, count: this.#count, digest });
      this.#hash = createHash('md5');
    }
    this.#range = next;
    this.#count = 0;
  }
}
