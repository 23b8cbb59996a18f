//   write(batch) ── sync(): fdatasync ── length, checksum and batch move on
//      ENOSPC while writing ──> cut back to `length`, synced ──> storage-full, go on
//      anything else failed ──> StorageBroken: the file is not trusted any more
import { type FileSystem, isFileError, type OpenFile } from './file-system.ts';
import type { SegmentHeader } from './journal-payload.ts';
import type { Layout } from './layout.ts';
import { LineWriter } from './line-codec.ts';
import type { SegmentMark } from './manifest.ts';
import { PRIVATE_FILE, StorageBroken, storageError, writeFully } from './whole-file.ts';

/** Where a batch brings the journal. */
export interface JournalEnd {
  readonly checksum: number;
  readonly batch: number;
  readonly seq: number;
}

/** The segment that is written to. Everything up to its mark is durable. */
export class Journal {
  readonly #file: OpenFile;
  readonly #path: string;
  #mark: SegmentMark;
  #written: SegmentMark;

  private constructor(file: OpenFile, path: string, mark: SegmentMark) {
    this.#file = file;
    this.#path = path;
    this.#mark = mark;
    this.#written = mark;
  }

  get mark(): SegmentMark {
    return this.#mark;
  }

  /**
   * Makes a new segment, durable when it resolves; it counts once the manifest names it.
   * @param tail the payloads of its first batches, if there are any yet, and where they lead to
   */
  static async create(
    fileSystem: FileSystem,
    layout: Layout,
    identity: { readonly storeId: string; readonly number: number },
    start: { readonly batch: number; readonly seq: number },
    tail?: {
      readonly payloads: readonly Uint8Array[];
      readonly batch: number;
      readonly seq: number;
    },
  ): Promise<Journal> {
    const { storeId, number } = identity;
    const path = layout.segment(number);
    const header: SegmentHeader = { format: 1, kind: 'journal', storeId, segment: number };
    const lines = new LineWriter(0);
    lines.add(JSON.stringify(header));
    for (const payload of tail?.payloads ?? []) lines.add(payload);
    const { batch, seq } = tail ?? start;
    const { checksum } = lines;
    const bytes = lines.take();
    try {
      const file = await fileSystem.create(path, PRIVATE_FILE);
      try {
        await writeFully(file, bytes, 0);
        await file.fsync();
        await fileSystem.syncDirectory(layout.tandem);
      } catch (error) {
        await file.close();
        throw error;
      }
      const mark = { number, length: bytes.length, checksum, batch, seq, start };
      return new Journal(file, path, mark);
    } catch (error) {
      throw storageError(`making ${path}`, error);
    }
  }

  /** Goes on with a segment that ends exactly at its mark. */
  static async resume(fileSystem: FileSystem, layout: Layout, mark: SegmentMark): Promise<Journal> {
    const path = layout.segment(mark.number);
    return new Journal(await fileSystem.openForUpdate(path), path, mark);
  }

  /**
   * Writes one batch behind the last durable one. It counts after `sync`.
   * @throws {TandemError} `storage-full`: the batch was cut off again
   * @throws {StorageBroken} it is not known what of the batch is on disk
   */
  async write(bytes: Uint8Array, end: JournalEnd): Promise<void> {
    try {
      await writeFully(this.#file, bytes, this.#mark.length);
    } catch (error) {
      if (!isFileError(error, 'ENOSPC', 'EDQUOT')) throw this.#broken('writing', error);
      await this.#cutBack();
      throw storageError(`appending to ${this.#path}`, error);
    }
    this.#written = { ...this.#mark, length: this.#mark.length + bytes.length, ...end };
  }

  /**
   * Makes what was written durable (I1).
   * @throws {StorageBroken} it is not known whether the batch is on disk
   */
  async sync(): Promise<void> {
    try {
      await this.#file.fdatasync();
    } catch (error) {
      throw this.#broken('syncing', error);
    }
    this.#mark = this.#written;
  }

  async #cutBack(): Promise<void> {
    try {
      await this.#file.truncate(this.#mark.length);
      await this.#file.fdatasync();
    } catch (error) {
      throw this.#broken('cutting an unfinished batch off', error);
    }
  }

  #broken(doing: string, error: unknown): StorageBroken {
    return new StorageBroken(`${doing} ${this.#path}`, error);
  }

  close(): Promise<void> {
    return this.#file.close();
  }
}
