import type { PoolClient } from 'pg';

/** What an operator did, and why. `details` is JSON. */
export interface AuditEntry {
  readonly actor: string;
  /** A stable word, e.g. `redrive-dead-letters`. */
  readonly action: string;
  readonly reason: string;
  readonly details: Readonly<Record<string, unknown>>;
}

/** Port: keeps an entry in the transaction that does what it says. Implemented in `postgres/`. */
export interface AuditLog {
  record(client: PoolClient, entry: AuditEntry): Promise<void>;
}
