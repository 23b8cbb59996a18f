import type { PoolClient } from 'pg';
import type { Change, CurrentRecord, PlanContext, Write } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import { takeIds } from './id-sequence.ts';
import { lockRecords, type NextState, readTombstones, writeStates } from './record-states.ts';
import { isStorableId, type RecordTable, recordOfRow } from './record-table.ts';
import { type StoreContext, tableOf } from './store-context.ts';

/** One collection's part of a batch. */
interface Part {
  readonly table: RecordTable;
  /** Live records as they were locked. */
  readonly locked: Map<number, CurrentRecord>;
  /** Ids taken for creations, not given yet. */
  readonly ids: number[];
  /** Tombstones of what is rewritten. */
  readonly buried: { has(id: number): boolean };
  /** Newest state of what the batch changed so far. */
  readonly changed: Map<number, NextState>;
}

/** What the writes of a batch ask of one collection. */
interface Wanted {
  readonly ids: Set<number>;
  readonly rewritten: Set<number>;
  creations: number;
}

/** The records that a batch of writes touches: locked, changed in memory, then written in bulk. */
export class WorkingSet {
  readonly #parts: ReadonlyMap<string, Part>;

  private constructor(parts: ReadonlyMap<string, Part>) {
    this.#parts = parts;
  }

  /** Locks the rows that the writes name, and takes an id for each creation. */
  static async lock(
    context: StoreContext,
    client: PoolClient,
    writes: readonly Write[],
  ): Promise<WorkingSet> {
    const wanted = new Map<Collection, Wanted>();
    for (const { command } of writes) {
      const want = wanted.get(command.collection) ?? {
        ids: new Set(),
        creations: 0,
        rewritten: new Set(),
      };
      wanted.set(command.collection, want);
      if (command.op === 'create') want.creations += 1;
      else for (const id of idsOf(command)) if (isStorableId(id)) want.ids.add(id);
      if (command.op === 'rewrite' && isStorableId(command.id)) want.rewritten.add(command.id);
    }
    const parts = new Map<string, Part>();
    // Every transaction locks in the same order: collections as the store has them, then ids.
    const order = [...context.tables.keys()];
    const sorted = [...wanted].sort(([a], [b]) => order.indexOf(a.name) - order.indexOf(b.name));
    for (const [collection, { ids, creations, rewritten }] of sorted) {
      const table = tableOf(context, collection);
      const found = await lockRecords(client, table, [...ids]);
      const records = found.map(recordOfRow);
      parts.set(collection.name, {
        table,
        locked: new Map(records.map((record) => [record.id, record])),
        ids: await takeIds(client, table, creations),
        buried: await readTombstones(client, table, [...rewritten]),
        changed: new Map(),
      });
    }
    return new WorkingSet(parts);
  }

  /** What `plan` is given for one write: the locked records with the changes kept so far. */
  planContext(write: Write, epoch: number, at: string): PlanContext {
    const part = this.#part(write.command.collection);
    return {
      ...{ epoch, at },
      nextId() {
        const id = part.ids.shift();
        if (id === undefined) throw new Error('More ids were planned than taken.');
        return id;
      },
      current(id) {
        const changed = part.changed.get(id);
        if (changed === undefined) return part.locked.get(id);
        return changed.text === null ? undefined : { ...changed, text: changed.text };
      },
    };
  }

  keep(collection: Collection, changes: readonly Change[]): void {
    const { changed } = this.#part(collection);
    for (const { id, epoch, version, record, at } of changes) {
      changed.set(id, { id, epoch, version, text: record, at });
    }
  }

  async write(client: PoolClient): Promise<void> {
    for (const { table, changed, locked, buried } of this.#parts.values()) {
      await writeStates(client, table, changed.values(), { live: locked, buried });
    }
  }

  #part({ name }: Collection): Part {
    const part = this.#parts.get(name);
    if (part === undefined) throw new Error(`The batch does not touch ${name}.`);
    return part;
  }
}

function idsOf(command: Exclude<Write['command'], { op: 'create' }>): readonly number[] {
  return command.op === 'bulk-delete' ? command.ids : [command.id];
}
