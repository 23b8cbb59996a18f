import type { AuditLog } from '../replication/audit-log.ts';
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
