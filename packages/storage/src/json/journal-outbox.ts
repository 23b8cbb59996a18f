//   publish ──> ring of recent items (memory) ──> read, the usual case
//   behind the ring: segments, from the nearest known place on
//   relayed(seq) ──> the next checkpoint may drop segments up to there
import { TandemError } from '../errors.ts';
import type { JsonPosition } from '../phase/index.ts';
import type { Outbox, OutboxEntry } from '../replication/index.ts';
import type { Core } from './checkpoint.ts';
import { isFileError } from './file-system.ts';
import { decodePayload } from './journal-payload.ts';
import { scanLines } from './line-codec.ts';
import type { SegmentMark } from './manifest.ts';
import type { OpenContext } from './open-context.ts';
import { damagedSegment, readHeader } from './segment-scan.ts';

/** Items kept in memory: a relay that keeps up reads no file. */
const RING_ITEMS_MAX = 8_192;
const RING_CHARACTERS_MAX = 16 << 20;
/** One reading from the segments ends behind so many: a thousand large records would not have room in a process
 *  that serves requests beside it. */
const READ_CHARACTERS_MAX = 16 << 20;
/** Places remembered in a segment: one every so many items. */
const ANCHOR_ITEMS = 256;
/** Checkpoints that may drop a segment while it is looked for, before that is an error. */
const DROP_RETRY_MAX = 5;

/** A place in a segment just behind item `seq`. */
interface Anchor {
  readonly seq: number;
  readonly offset: number;
  readonly checksum: number;
}

/** The journal as the outbox of the JSON primary. */
export class JournalOutbox implements Outbox {
  readonly #context: OpenContext;
  readonly #core: () => Core;
  readonly #waiters = new Set<{ afterSeq: number; wake: () => void }>();
  #ring: OutboxEntry[] = [];
  #ringCharacters = 0;
  #anchors = new Map<number, Anchor[]>();
  #relayed = 0;
  /** The journal's own mark is ahead of memory, and of the ring, while the next batch is written. */
  #published: number;

  constructor(context: OpenContext, core: () => Core) {
    this.#context = context;
    this.#core = core;
    this.#published = core().journal.mark.seq;
  }

  head(): number {
    return this.#published;
  }

  position(): JsonPosition {
    const { manifest, journal } = this.#core();
    const session = manifest.phase.lineage?.at(-1)?.id;
    if (session === undefined) throw new Error('The JSON store was opened without a session.');
    return { session, batch: journal.mark.batch };
  }

  relayed(seq: number): void {
    if (seq > this.#relayed) this.#relayed = seq;
  }

  get relayedSeq(): number {
    return this.#relayed;
  }

  /** Takes the items of a durable batch. */
  publish(entries: readonly OutboxEntry[]): void {
    if (entries.length === 0) return;
    for (const entry of entries) {
      this.#ring.push(entry);
      this.#ringCharacters += sizeOf(entry);
      this.#published = entry.seq;
    }
    this.#trim();
    this.#wake();
  }

  /** Forgets what memory knew, after the journal was recovered from disk. */
  reset(): void {
    this.#ring = [];
    this.#ringCharacters = 0;
    this.#anchors.clear();
    this.#published = this.#core().journal.mark.seq;
    this.#wake();
  }

  async waitBeyond(afterSeq: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted || this.head() > afterSeq) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const waiter = { afterSeq, wake: resolve };
    this.#waiters.add(waiter);
    const onAbort = (): void => resolve();
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      await promise;
    } finally {
      this.#waiters.delete(waiter);
      signal.removeEventListener('abort', onAbort);
    }
  }

  async read(afterSeq: number, limit: number): Promise<readonly OutboxEntry[]> {
    const head = this.head();
    if (afterSeq >= head || limit <= 0) return [];
    const first = this.#ring[0];
    if (first !== undefined && afterSeq + 1 >= first.seq) {
      const from = afterSeq + 1 - first.seq;
      return this.#ring.slice(from, from + limit);
    }
    const entries: OutboxEntry[] = [];
    const wanted = Math.min(limit, head - afterSeq);
    let room = READ_CHARACTERS_MAX;
    for (let tries = 0; entries.length < wanted && room > 0; ) {
      const behind = afterSeq + entries.length;
      const mark = this.#segmentOf(behind + 1);
      try {
        const read = await this.#readSegment(mark, behind, wanted - entries.length, room);
        for (const entry of read) room -= sizeOf(entry);
        entries.push(...read);
      } catch (error) {
        // A checkpoint dropped the segment just now; the marks say so.
        if (!isFileError(error, 'ENOENT') || ++tries === DROP_RETRY_MAX) throw error;
      }
    }
    return entries;
  }

  #segmentOf(seq: number): SegmentMark {
    const { manifest, journal } = this.#core();
    const marks = [...manifest.segments.slice(0, -1), journal.mark];
    const found = marks.find((mark) => mark.start.seq < seq && seq <= mark.seq);
    if (found !== undefined) return found;
    throw new TandemError(
      'refused-to-open',
      `The outbox item ${seq} is gone: items up to ${manifest.outbox.dropped} were dropped; bring the secondary up by difference.`,
      { detail: { seq, dropped: manifest.outbox.dropped } },
    );
  }

  async #readSegment(
    mark: SegmentMark,
    afterSeq: number,
    limit: number,
    charactersMax: number,
  ): Promise<OutboxEntry[]> {
    const { fileSystem, layout } = this.#context;
    const path = layout.segment(mark.number);
    const entries: OutboxEntry[] = [];
    let room = charactersMax;
    const file = await fileSystem.openForReading(path);
    try {
      let start = this.#anchorBefore(mark.number, afterSeq);
      if (start === undefined) {
        const { storeId } = this.#core().manifest;
        const header = await readHeader(file, path, { storeId, number: mark.number });
        start = { ...header, seq: mark.start.seq };
      }
      let { seq } = start;
      const end = await scanLines(
        file,
        start,
        (line) => {
          const payload = decodePayload(line.buffer, line.from, line.to);
          if (payload.kind !== 'item' || payload.seq === undefined) return undefined;
          seq++;
          if (payload.seq !== seq) throw damagedSegment(path, line.offset, 'an item is missing.');
          if (seq > afterSeq) {
            const entry = { seq, item: payload.item };
            entries.push(entry);
            room -= sizeOf(entry);
          }
          const full = entries.length === limit || room <= 0;
          if (full || seq % ANCHOR_ITEMS === 0) {
            this.#remember(mark.number, { seq, offset: line.end, checksum: line.checksum });
          }
          return full ? false : undefined;
        },
        mark.length,
      );
      if (end.problem !== undefined) throw damagedSegment(path, end.offset, end.problem);
      // A file that was cut at the end of a line has no problem but its length.
      if (entries.length === 0)
        throw damagedSegment(path, end.offset, 'its last items are missing.');
      return entries;
    } finally {
      await file.close();
    }
  }

  /** Keeps the places of a segment by ascending `seq`. */
  #remember(segment: number, anchor: Anchor): void {
    const anchors = this.#anchors.get(segment) ?? [];
    this.#anchors.set(segment, anchors);
    const last = anchors.at(-1);
    if (last === undefined || last.seq < anchor.seq) anchors.push(anchor);
    const named = new Set(this.#core().manifest.segments.map(({ number }) => number));
    for (const number of this.#anchors.keys()) {
      if (!named.has(number)) this.#anchors.delete(number);
    }
  }

  #anchorBefore(segment: number, seq: number): Anchor | undefined {
    return this.#anchors.get(segment)?.findLast((anchor) => anchor.seq <= seq);
  }

  #trim(): void {
    // Half goes at once, so that a full ring is not moved with every batch.
    while (this.#ring.length > RING_ITEMS_MAX || this.#ringCharacters > RING_CHARACTERS_MAX) {
      const gone = this.#ring.splice(0, Math.ceil(this.#ring.length / 2));
      for (const entry of gone) this.#ringCharacters -= sizeOf(entry);
      if (this.#ring.length === 0) return;
    }
  }

  #wake(): void {
    const head = this.head();
    for (const { afterSeq, wake } of this.#waiters) if (head > afterSeq) wake();
  }
}

const sizeOf = ({ item }: OutboxEntry): number =>
  item.kind === 'key' ? item.key.outcome.length : (item.change.record?.length ?? 0);
