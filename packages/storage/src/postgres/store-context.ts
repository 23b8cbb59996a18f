import type { Pool } from 'pg';
import type { Collection } from '../collections/index.ts';
import type { Log } from '../log.ts';
import type { Observer } from '../observer.ts';
import type { ReadFence } from '../phase/index.ts';
import type { JobSink } from '../replication/job-sink.ts';
import type { RecordTable } from './record-table.ts';

/** What the parts of one PostgreSQL store share. */
export interface StoreContext {
  readonly pool: Pool;
  /** By collection name, in a fixed order: transactions lock in it. */
  readonly tables: ReadonlyMap<string, RecordTable>;
  readonly jobs: JobSink;
  readonly log: Log;
  readonly observer: Observer;
  readonly now: () => Date;
}

/** What reading needs. With a fence every read of clients is judged by the phase of its own snapshot. */
export type ReadContext = Pick<StoreContext, 'pool' | 'tables'> & { readonly fence?: ReadFence };

/** The table of a collection of this store. */
export function tableOf(context: ReadContext, { name }: Pick<Collection, 'name'>): RecordTable {
  const table = context.tables.get(name);
  if (table === undefined) throw new Error(`The store has no collection ${name}.`);
  return table;
}
