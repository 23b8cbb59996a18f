import type { OpenFile } from './file-system.ts';
import { writeFully } from './whole-file.ts';

/** Synced as it grows: the sync of a batch of writes may have to wait for what is not. */
const SYNC_BYTES = 4 << 20;

/** Writes a large new file from its beginning to its end. */
export class SyncingWriter {
  readonly #file: OpenFile;
  #position = 0;
  #synced = 0;

  constructor(file: OpenFile) {
    this.#file = file;
  }

  async write(bytes: Uint8Array): Promise<void> {
    await writeFully(this.#file, bytes, this.#position);
    this.#position += bytes.length;
    if (this.#position - this.#synced < SYNC_BYTES) return;
    await this.#file.fdatasync();
    this.#synced = this.#position;
  }
}
