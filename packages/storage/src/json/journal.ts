//   write(batch) ── sync(): fdatasync ── length, checksum and batch move on
//      ENOSPC while writing ──> cut back to `length`, synced ──> storage-full, go on
//      anything else failed ──> StorageBroken: the file is not trusted any more
//
//   header │ batch │ batch │ 0000000000 …   a segment that grows reserves room ahead, as zeros
//                          └─ mark      └─ end of the file, until `close` cuts it there
import { isFileError, type OpenFile } from './file-system.ts';
import type { SegmentHeader } from './journal-payload.ts';
import { LineWriter } from './line-codec.ts';
import type { SegmentMark } from './manifest.ts';
import type { OpenContext } from './open-context.ts';
import { PRIVATE_FILE, StorageBroken, storageError, writeFully } from './whole-file.ts';

/** Where a batch brings the journal. */
export interface JournalEnd {
  readonly checksum: number;
  readonly batch: number;
  readonly seq: number;
}

/**
 * Room reserved ahead of what is written. A sync of bytes in room that was synced before need not write
 * the file's new length and where its blocks lie as well; that is half of what it costs.
 */
export interface JournalRoom {
  /** Length from which on a segment reserves room: one that hardly grows stays as long as its lines. */
  readonly fromBytes: number;
  /** How much at once. */
  readonly bytes: number;
}

export const JOURNAL_ROOM: JournalRoom = { fromBytes: 64 << 10, bytes: 512 << 10 };

/** Where segments are made, and how. */
type JournalPlace = Pick<OpenContext, 'fileSystem' | 'layout' | 'journalRoom'>;

/** The segment that is written to. Everything up to its mark is durable. */
export class Journal {
  readonly #file: OpenFile;
  readonly #path: string;
  readonly #room: JournalRoom;
  #mark: SegmentMark;
  #written: SegmentMark;
  /** The file's length: behind what was written last, it is zeros. */
  #size: number;
  /** There was no room to reserve. */
  #cramped = false;
  #isBroken = false;

  private constructor(
    file: OpenFile,
    path: string,
    mark: SegmentMark,
    size: number,
    room: JournalRoom,
  ) {
    this.#file = file;
    this.#path = path;
    this.#mark = mark;
    this.#written = mark;
    this.#size = size;
    this.#room = room;
  }

  get mark(): SegmentMark {
    return this.#mark;
  }

  /**
   * Makes a new segment, durable when it resolves; it counts once the manifest names it.
   * @param tail the payloads of its first batches, if there are any yet, and where they lead to
   */
  static async create(
    { fileSystem, layout, journalRoom }: JournalPlace,
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
      return new Journal(file, path, mark, bytes.length, journalRoom);
    } catch (error) {
      throw storageError(`making ${path}`, error);
    }
  }

  /** Goes on with a segment that has nothing but reserved room behind its mark. */
  static async resume(
    { fileSystem, layout, journalRoom }: JournalPlace,
    mark: SegmentMark,
  ): Promise<Journal> {
    const path = layout.segment(mark.number);
    const file = await fileSystem.openForUpdate(path);
    try {
      return new Journal(file, path, mark, await file.size(), journalRoom);
    } catch (error) {
      await file.close();
      throw error;
    }
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
      await this.#cut(this.#mark.length);
      throw storageError(`appending to ${this.#path}`, error);
    }
    const length = this.#mark.length + bytes.length;
    if (length > this.#size) await this.#reserve(length);
    this.#written = { ...this.#mark, length, ...end };
  }

  /** Reserves room behind what was written, where there is any; the batch's own sync covers it. */
  async #reserve(length: number): Promise<void> {
    const { fromBytes, bytes } = this.#room;
    this.#size = length;
    if (length < fromBytes || this.#cramped) return;
    try {
      await writeFully(this.#file, zeros(bytes), length);
      this.#size = length + bytes;
    } catch (error) {
      if (!isFileError(error, 'ENOSPC', 'EDQUOT')) throw this.#broken('reserving room in', error);
      this.#cramped = true;
      await this.#cut(length);
    }
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

  async #cut(length: number): Promise<void> {
    try {
      await this.#file.truncate(length);
      await this.#file.fdatasync();
    } catch (error) {
      throw this.#broken('cutting off what found no room in', error);
    }
    this.#size = length;
  }

  #broken(doing: string, error: unknown): StorageBroken {
    this.#isBroken = true;
    return new StorageBroken(`${doing} ${this.#path}`, error);
  }

  /** Gives reserved room back, so that the file ends with its last line, and closes it. */
  async close(): Promise<void> {
    try {
      const { length } = this.#mark;
      if (!this.#isBroken && this.#size > length) await this.#file.truncate(length);
    } finally {
      await this.#file.close();
    }
  }
}

let zeroed = Buffer.alloc(0);

/** So many zeros; shared, and never written to. */
function zeros(bytes: number): Buffer {
  if (zeroed.length < bytes) zeroed = Buffer.alloc(bytes);
  return zeroed.subarray(0, bytes);
}
