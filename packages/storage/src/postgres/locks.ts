/**
 * Advisory locks, all at transaction level (PgBouncer may stand between), of one class so that they
 * meet nobody else's in the same database.
 */
const LOCK_CLASS = 0x54_41_4e_44;

/** Held shared by every transaction that writes, exclusively by one that moves the phase (I3). */
export const SWITCH_LOCK = `${LOCK_CLASS}, 1`;
/** Held by whoever applies as the secondary: a tombstone and a row of one id are decided as one. */
export const APPLY_LOCK = `${LOCK_CLASS}, 2`;
/** Held while migrating. */
export const MIGRATION_LOCK = `${LOCK_CLASS}, 3`;

/** Held by whoever takes or thins out the marks of dirty ranges. */
export const DIRTY_LOCK = `${LOCK_CLASS}, 4`;

/** A statement waits this long for a lock of another transaction. */
const LOCK_TIMEOUT_MS = 5_000;
/** A transaction whose process fell silent is ended by the server after this long. */
const IDLE_TIMEOUT_MS = 5_000;
/** A whole transaction; below the deadline of a switch, which waits for it. PostgreSQL >= 17. */
const TRANSACTION_TIMEOUT_MS = 10_000;

interface Bounds {
  readonly lockMs?: number;
  readonly idleMs?: number;
  readonly transactionMs?: number;
}

/**
 * The statement that bounds the transaction it stands in. An older server has no
 * `transaction_timeout`; there each statement is bounded alone. A server or role set to
 * `synchronous_commit = off` would acknowledge what it may lose (I1): it is overruled.
 */
export function boundsStatement(bounds: Bounds = {}): string {
  const { lockMs = LOCK_TIMEOUT_MS, idleMs = IDLE_TIMEOUT_MS } = bounds;
  const { transactionMs = TRANSACTION_TIMEOUT_MS } = bounds;
  return `SELECT set_config('lock_timeout', '${lockMs}', true),
    set_config('idle_in_transaction_session_timeout', '${idleMs}', true),
    set_config('statement_timeout', '${transactionMs}', true),
    CASE WHEN current_setting('transaction_timeout', true) IS NOT NULL
      THEN set_config('transaction_timeout', '${transactionMs}', true) END,
    CASE WHEN current_setting('synchronous_commit') IN ('off', 'local')
      THEN set_config('synchronous_commit', 'on', true) END`;
}

export const shared = (lock: string): string => `SELECT pg_advisory_xact_lock_shared(${lock})`;
export const exclusive = (lock: string): string => `SELECT pg_advisory_xact_lock(${lock})`;
