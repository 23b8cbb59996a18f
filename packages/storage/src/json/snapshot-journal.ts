//   segment 4 (sealed at its mark) ──> segment 5 (sealed) ──> segment 6 (the last: up to its last
//   whole batch; what follows is being written at this moment)
//
//   One file stays open, so that a segment which a checkpoint drops can be read to its end all the same.
import type { FileSystem, OpenFile } from './file-system.ts';
import type { Layout } from './layout.ts';
import { SLICE_BYTES, storedChecksum } from './line-codec.ts';
import type { Manifest, SegmentMark } from './manifest.ts';
import type { Memory } from './memory.ts';
import { replayItem } from './recovery.ts';
import {
  damagedSegment,
  laterBatch,
  type Position,
  readHeader,
  type SegmentScan,
  scanBatches,
} from './segment-scan.ts';
import { openIfPresent, readRange } from './whole-file.ts';

/** The holder has changed the files under the reader in a way that it can't follow. */
export class SnapshotOvertaken extends Error {
  constructor(why: string) {
    super(`The snapshot was overtaken: ${why}`);
    this.name = 'SnapshotOvertaken';
  }
}

/** Follows the journal of a store that another process may be writing, into a memory of its own. */
export class SnapshotJournal {
  readonly #fileSystem: FileSystem;
  readonly #layout: Layout;
  readonly #storeId: string;
  readonly #memory: Memory;
  #file: OpenFile | undefined;
  #segment = 0;
  #position: Position = { offset: 0, checksum: 0, batch: 0, seq: 0 };
  #replayed = 0;

  constructor(fileSystem: FileSystem, layout: Layout, storeId: string, memory: Memory) {
    this.#fileSystem = fileSystem;
    this.#layout = layout;
    this.#storeId = storeId;
    this.#memory = memory;
  }

  /** The segment of the position; 0 before the first. */
  get segment(): number {
    return this.#segment;
  }

  /** Behind the last batch that was replayed. */
  get position(): Position {
    return this.#position;
  }

  /** Changes, keys and id marks replayed so far. */
  get replayed(): number {
    return this.#replayed;
  }

  /** Begins at a place that the memory is known to hold, instead of at its checkpoint. */
  goOnFrom(segment: number, position: Position): void {
    this.#segment = segment;
    this.#position = position;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }

  /**
   * Replays everything that is new up to the last whole batch.
   * @throws {SnapshotOvertaken} the files can't be followed from here: load anew
   * @throws {TandemError} `refused-to-open` when the journal is damaged (I12)
   */
  async follow(manifest: Manifest): Promise<void> {
    const marks = manifest.segments;
    let at = marks.findIndex(({ number }) => number === this.#segment);
    if (this.#file === undefined && this.#segment > 0) {
      await this.#comeBack(marks[at]);
    } else if (this.#file === undefined) {
      // A recovery that found nothing in the segment named there has gone on in a later one.
      at = marks.findIndex(({ number }) => number >= manifest.checkpoint.replayFrom);
      await this.#enter(marks[at]);
    } else if (at < 0) {
      at = await this.#leaveDropped(marks);
    }
    for (; at < marks.length - 1; at++) {
      await this.#finishSealed(marks[at] as SegmentMark);
      await this.#enter(marks[at + 1]);
    }
    await this.#followLast();
  }

  async #enter(mark: SegmentMark | undefined): Promise<void> {
    if (mark === undefined) throw new SnapshotOvertaken('a segment is missing.');
    const path = this.#layout.segment(mark.number);
    const file = await openIfPresent(this.#fileSystem, path);
    if (file === undefined) throw new SnapshotOvertaken(`${path} is gone.`);
    try {
      const identity = { storeId: this.#storeId, number: mark.number };
      const header = await readHeader(file, path, identity);
      await this.close();
      this.#file = file;
      this.#segment = mark.number;
      this.#position = { ...mark.start, ...header };
    } catch (error) {
      await file.close();
      throw error;
    }
  }

  /** Opens the segment that `goOnFrom` named, if it still leads to that place. */
  async #comeBack(mark: SegmentMark | undefined): Promise<void> {
    const position = this.#position;
    await this.#enter(mark);
    this.#position = position;
    if (!(await this.#lastLineStands())) throw new SnapshotOvertaken('its last batch is gone.');
  }

  async #finishSealed(mark: SegmentMark): Promise<void> {
    // Batches behind the mark were written anew elsewhere, by a recovery.
    if (this.#position.offset > mark.length) throw new SnapshotOvertaken('a recovery cut it off.');
    const { position, problem } = await this.#scan(mark.length);
    if (position.offset === mark.length && position.checksum === mark.checksum) return;
    const path = this.#layout.segment(mark.number);
    const reason = problem?.reason ?? 'it is not what was written there.';
    throw damagedSegment(path, problem?.offset ?? position.offset, reason);
  }

  /**
   * The segment was dropped since the last look; the open file still has all of it.
   * @returns the index of the mark that goes on where it ended
   */
  async #leaveDropped(marks: readonly SegmentMark[]): Promise<number> {
    // After a failed sync the tail may have been lost and its batch number used again.
    if (!(await this.#lastLineStands())) throw new SnapshotOvertaken('its last batch is gone.');
    await this.#scan();
    const { batch, seq } = this.#position;
    const next = marks.findIndex(({ start }) => start.batch === batch && start.seq === seq);
    if (next < 0) throw new SnapshotOvertaken('its next segment is gone.');
    await this.#enter(marks[next]);
    return next;
  }

  async #followLast(): Promise<void> {
    const { problem } = await this.#scan();
    if (problem === undefined) return;
    const before = this.#position.offset;
    if ((await laterBatch(this.#open(), this.#position)) === undefined) return;
    // Either the batch was being written a moment ago and is whole by now, or it is damaged.
    const again = await this.#scan();
    if (again.problem === undefined || this.#position.offset > before) return;
    const { offset, reason } = again.problem;
    throw damagedSegment(this.#layout.segment(this.#segment), offset, reason);
  }

  async #scan(until?: number): Promise<SegmentScan> {
    const path = this.#layout.segment(this.#segment);
    const replay: Parameters<typeof scanBatches>[3] = (items) => {
      this.#replayed += items.length;
      for (const item of items) replayItem(this.#memory, item);
    };
    const from = this.#position;
    const scan = await scanBatches(this.#open(), path, from, replay, until, SLICE_BYTES);
    this.#position = scan.position;
    return scan;
  }

  /** Whether the line before the position is still the one that was read. */
  async #lastLineStands(): Promise<boolean> {
    const { offset, checksum } = this.#position;
    const from = Math.max(0, offset - LAST_LINE_BYTES_MAX);
    const bytes = await readRange(this.#open(), from, offset - from);
    const start = bytes.lastIndexOf(0x0a, bytes.length - 2) + 1;
    return bytes.length === offset - from && storedChecksum(bytes, start) === checksum;
  }

  #open(): OpenFile {
    if (this.#file === undefined) throw new Error('The snapshot is not open.');
    return this.#file;
  }
}

/** Before a position stands a commit line or the header; both are short. */
const LAST_LINE_BYTES_MAX = 1_024;
