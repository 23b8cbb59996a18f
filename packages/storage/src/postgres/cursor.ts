import type { Pool } from 'pg';
import { boundsStatement } from './locks.ts';
import { type Row, rows, script } from './transaction.ts';

export interface CursorBounds {
  readonly chunkRows: number;
  /** The server ends the transaction when its reader does not ask for more for this long. */
  readonly idleMs: number;
  /** The server ends the transaction after this long at all events (PostgreSQL >= 17). */
  readonly transactionMs: number;
  /** Read in the same snapshot, before the first chunk; what `seen` throws ends it. */
  readonly first?: {
    readonly statement: string;
    seen(rows: readonly Row[]): Promise<void>;
  };
}

/**
 * Reads a query in chunks as of one moment, through a cursor in a read-only transaction. Its reader
 * may stop at any time. The transaction ends with the generator.
 */
export async function* readInChunks(
  pool: Pool,
  select: string,
  { chunkRows, idleMs, transactionMs, first }: CursorBounds,
): AsyncGenerator<readonly Row[]> {
  const client = await pool.connect();
  const ignore = () => {}; // The next statement rejects with the same.
  client.on('error', ignore);
  let whole = false;
  try {
    const begun = await script(client, [
      'BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY',
      boundsStatement({ idleMs, transactionMs }),
      `DECLARE chunks NO SCROLL CURSOR FOR ${select}`,
      ...(first === undefined ? [] : [first.statement]),
    ]);
    await first?.seen(begun.at(-1) ?? []);
    for (;;) {
      const found = await rows(client, `FETCH ${chunkRows} FROM chunks`);
      if (found.length > 0) yield found;
      if (found.length < chunkRows) break;
    }
    await script(client, ['COMMIT']);
    whole = true;
  } finally {
    client.removeListener('error', ignore);
    // Anything but a whole read drops the connection: that ends its transaction for certain.
    client.release(!whole);
  }
}
