import type { Collection, FieldProblem } from '../collections/index.ts';
import type { IdHighWater } from '../store.ts';
import { type KeySnapshot, KeyTable } from './key-table.ts';
import { RecordTable, type TableSnapshot } from './record-table.ts';

/** A record the schema can't hold; it is served as it is and blocks promotion. */
export interface MappingError {
  readonly collection: string;
  readonly id: number;
  readonly problems: readonly FieldProblem[];
}

export interface MemorySnapshot {
  readonly tables: readonly TableSnapshot[];
  readonly keys: KeySnapshot;
}

/** Everything the store knows, as of the last durable batch. Reads look here and nowhere else. */
export class Memory {
  readonly keys = new KeyTable();
  readonly #tables: ReadonlyMap<string, RecordTable>;

  constructor(collections: readonly Collection[]) {
    this.#tables = new Map(collections.map((one) => [one.name, new RecordTable(one)]));
  }

  /** Records and tombstones of all collections. */
  get size(): number {
    return [...this.tables].reduce((sum, table) => sum + table.size, 0);
  }

  get tables(): Iterable<RecordTable> {
    return this.#tables.values();
  }

  find(name: string): RecordTable | undefined {
    return this.#tables.get(name);
  }

  table(name: string): RecordTable {
    const table = this.find(name);
    if (table === undefined) throw new Error(`The JSON store has no collection ${name}.`);
    return table;
  }

  highWater(): IdHighWater {
    return Object.fromEntries([...this.#tables].map(([name, { highWater }]) => [name, highWater]));
  }

  mappingErrors(): readonly MappingError[] {
    return [...this.tables].flatMap((table) =>
      table.mappingErrors().map((error) => ({ collection: table.collection.name, ...error })),
    );
  }

  get mappingErrorCount(): number {
    return [...this.tables].reduce((sum, table) => sum + table.mappingErrorCount, 0);
  }

  snapshot(): MemorySnapshot {
    return {
      tables: [...this.tables].map((table) => table.snapshot()),
      keys: this.keys.snapshot(),
    };
  }
}
