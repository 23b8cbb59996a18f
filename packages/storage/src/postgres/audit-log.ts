import type { Pool } from 'pg';
import type { AuditEntry, AuditLog } from '../replication/audit-log.ts';
import { storageError } from './failure.ts';
import { rows } from './transaction.ts';

/** The table `audit_log`. */
export const auditLog: AuditLog = {
  async record(client, { actor, action, reason, details }) {
    await rows(
      client,
      'INSERT INTO audit_log (at, actor, action, reason, details) VALUES (now(), $1, $2, $3, $4)',
      [actor, action, reason, JSON.stringify(details)],
    );
  },
};

/**
 * Keeps an entry of what was done outside of PostgreSQL.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function recordAudit(pool: Pool, entry: AuditEntry): Promise<void> {
  try {
    const client = await pool.connect();
    try {
      await auditLog.record(client, entry);
    } finally {
      client.release();
    }
  } catch (error) {
    throw storageError(error);
  }
}
