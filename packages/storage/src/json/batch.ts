import {
  type Change,
  type Item,
  type KeyItem,
  type PlanContext,
  traceOf,
} from '../changes/index.ts';
import { TandemError } from '../errors.ts';
import type { JsonPhaseState } from '../phase/index.ts';
import type { OutboxEntry } from '../replication/index.ts';
import { ID_MAX } from '../store.ts';
import type { DirtyRanges } from './dirty-ranges.ts';
import type { GrowingBuffer } from './growing-buffer.ts';
import type { JournalEnd } from './journal.ts';
import { encodeChange, encodeCommit, encodeKey, encodeMarks } from './journal-payload.ts';
import { LineWriter } from './line-codec.ts';
import type { Memory } from './memory.ts';
import type { Entry } from './record-table.ts';

interface StagedEntry {
  readonly entry: Entry;
  readonly fits: boolean;
}

/**
 * One batch being planned: what it would change over the published memory, and its journal lines.
 * Nothing of it is seen by anyone before `publish`.
 */
export class Batch {
  readonly #memory: Memory;
  #below: Batch | undefined;
  readonly #phase: JsonPhaseState;
  readonly #number: number;
  readonly #lines: LineWriter;
  readonly #staged = new Map<string, Map<number, StagedEntry>>();
  readonly #keys = new Map<string, KeyItem>();
  readonly #highWater = new Map<string, number>();
  readonly #planning = new Map<string, PlanContext>();
  readonly #outbox: OutboxEntry[] = [];
  readonly #traces: string[] = [];
  #seq: number;
  #count = 0;
  #written = 0;
  /** The instant of the whole batch, in milliseconds since 1970 and in ISO form. */
  readonly now: number;
  readonly at: string;

  /**
   * @param over what it would change: the published memory, and a batch that is not published yet
   * @param mark where the journal is before it
   * @param lines what the journal lines are written to; no other batch writes its lines meanwhile
   */
  constructor(
    { memory, below }: { readonly memory: Memory; readonly below: Batch | undefined },
    phase: JsonPhaseState,
    mark: JournalEnd,
    now: number,
    lines: GrowingBuffer,
  ) {
    this.#memory = memory;
    this.#below = below;
    this.#phase = phase;
    this.#number = mark.batch + 1;
    this.#seq = mark.seq;
    this.#lines = new LineWriter(mark.checksum, lines);
    this.now = now;
    this.at = new Date(now).toISOString();
  }

  get phase(): JsonPhaseState {
    return this.#phase;
  }
  get memory(): Memory {
    return this.#memory;
  }
  get isEmpty(): boolean {
    return this.#count === 0;
  }
  get bytes(): number {
    return this.#lines.bytes;
  }
  get outbox(): readonly OutboxEntry[] {
    return this.#outbox;
  }
  /** Journal lines, the commit line left out. */
  get count(): number {
    return this.#count;
  }
  /** Changes of the primary among them. */
  get written(): number {
    return this.#written;
  }
  get traces(): readonly string[] {
    return this.#traces;
  }

  /** A write of this batch is traced. */
  traced(trace: string): void {
    this.#traces.push(trace);
  }

  /** The record's or tombstone's state including what this batch changed. */
  current(collection: string, id: number): Entry | undefined {
    const own = this.#staged.get(collection)?.get(id)?.entry;
    if (own !== undefined) return own;
    return this.#below === undefined
      ? this.#memory.table(collection).get(id)
      : this.#below.current(collection, id);
  }

  /** The facts that a write of a collection is planned from in this batch. */
  planning(collection: string): PlanContext {
    const known = this.#planning.get(collection);
    if (known !== undefined) return known;
    const made: PlanContext = {
      epoch: this.#phase.epoch,
      at: this.at,
      nextId: () => this.nextId(collection),
      current: (id) => {
        const entry = this.current(collection, id);
        return entry?.text == null ? undefined : { ...entry, text: entry.text };
      },
    };
    this.#planning.set(collection, made);
    return made;
  }

  key(key: string): KeyItem | undefined {
    const own = this.#keys.get(key);
    if (own !== undefined) return own;
    return this.#below === undefined ? this.#memory.keys.get(key, this.now) : this.#below.key(key);
  }

  highWater(collection: string): number {
    const staged = this.#highWater.get(collection) ?? this.#below?.highWater(collection);
    return staged ?? this.#memory.table(collection).highWater;
  }

  /** @throws {TandemError} `invalid`, as PostgreSQL's sequence: the other store could not hold a higher one */
  nextId(collection: string): number {
    const id = this.highWater(collection) + 1;
    if (id > ID_MAX) {
      throw new TandemError(
        'invalid',
        `No ${collection} can be created: the last id, ${ID_MAX}, was given.`,
      );
    }
    this.#highWater.set(collection, id);
    return id;
  }

  /**
   * @param as `primary`: it goes into the outbox where the phase asks for it (I2); `secondary`: never
   */
  change(change: Change, as: 'primary' | 'secondary', fits: boolean, trace?: string): void {
    const { collection, id, record } = change;
    const entry = this.#memory.table(collection).entry(id, change, record);
    this.#item({ kind: 'change', change, ...traceOf(trace) }, as, fits);
    const staged = this.#staged.get(collection) ?? new Map<number, StagedEntry>();
    this.#staged.set(collection, staged.set(id, { entry, fits }));
    if (id > this.highWater(collection)) this.#highWater.set(collection, id);
    if (as === 'primary') this.#written++;
  }

  putKey(key: KeyItem, as: 'primary' | 'secondary', trace?: string): void {
    this.#item({ kind: 'key', key, ...traceOf(trace) }, as, true);
    this.#keys.set(key.key, key);
  }

  raise(marks: Readonly<Record<string, number>>): void {
    const raised = Object.entries(marks)
      .map(([name, mark]) => [name, Math.min(mark, ID_MAX)] as const)
      .filter(([name, mark]) => mark > this.highWater(name));
    if (raised.length === 0) return;
    for (const [name, mark] of raised) this.#highWater.set(name, mark);
    this.#lines.add(encodeMarks(Object.fromEntries(raised), this.#number));
    this.#count++;
  }

  #item(item: Item, as: 'primary' | 'secondary', fits: boolean): void {
    const outboxed = as === 'primary' && this.#phase.phase === 'json-primary';
    const seq = outboxed ? ++this.#seq : undefined;
    if (item.kind === 'key') this.#lines.add(encodeKey(item, this.#number, seq));
    else {
      const head = encodeChange(item, this.#number, seq, fits);
      this.#lines.add(head, item.change.record ?? 'null');
    }
    this.#count++;
    if (seq !== undefined) this.#outbox.push({ seq, item });
  }

  /** The journal bytes, closed by the commit line. They stand until another batch writes lines. */
  finish(): Buffer {
    this.#lines.add(encodeCommit(this.#number, this.#count));
    return this.#lines.take();
  }

  /** The batch below was published: what it changed is in the memory now. */
  standsAlone(): void {
    this.#below = undefined;
  }

  /** Where the journal is once this batch is written. */
  get end(): JournalEnd {
    return { checksum: this.#lines.checksum, batch: this.#number, seq: this.#seq };
  }

  /** Marks the ranges that it changed. */
  mark(dirty: Pick<DirtyRanges, 'mark'>): void {
    for (const [collection, staged] of this.#staged) {
      for (const id of staged.keys()) dirty.mark(collection, id);
    }
  }

  /** Lets everybody see it. Only after it is durable. */
  publish(): void {
    for (const [collection, staged] of this.#staged) {
      const table = this.#memory.table(collection);
      for (const { entry, fits } of staged.values()) table.put(entry, fits);
    }
    for (const key of this.#keys.values()) this.#memory.keys.put(key);
    for (const [collection, mark] of this.#highWater) {
      const table = this.#memory.table(collection);
      if (mark > table.highWater) table.highWater = mark;
    }
  }
}
