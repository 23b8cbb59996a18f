/** What was written since a position. */
export interface Written {
  /** Ids of records and tombstones, by collection name. */
  readonly ids: ReadonlyMap<string, readonly number[]>;
  readonly keys: readonly string[];
}

/**
 * Port: what PostgreSQL's own tables say was written, whoever wrote it and whatever became of its jobs.
 * Implemented in `postgres/`. Every method may throw `unavailable` or `storage-failed`.
 */
export interface WrittenSince {
  /** A position before everything that a read which begins now may not see. */
  position(): Promise<string>;
  /** Everything that was committed after the position, and perhaps some of what came before. A row that
   *  was removed without a tombstone, as psql does it, leaves nothing to be told. */
  since(position: string): Promise<Written>;
}
