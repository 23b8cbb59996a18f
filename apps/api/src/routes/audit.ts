import type { AuditTrail, AuditTrailFilter, AuditTrailPage } from '@tandem/storage/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RequestProblem } from '../problem.ts';
import { AUDIT_LIMIT, AUDIT_LIMIT_MAX, auditSchema } from './audit-schemas.ts';
import { readInstant, readShortText, readWholeNumber } from './operator-query.ts';
import { refuse } from './operator-request.ts';

export interface AuditOptions {
  /** @throws {TandemError} `invalid`, `unavailable`, `storage-failed` */
  readonly trail: (filter: AuditTrailFilter, page: AuditTrailPage) => Promise<AuditTrail>;
}

/** Who did what, and why. */
export function audit(app: FastifyInstance, { trail }: AuditOptions): void {
  app.get(
    '/api/v1/migration/audit',
    { config: { scope: 'operator' }, schema: auditSchema },
    async (request) => {
      const { filter, page } = readQuery(request);
      return trail(filter, page);
    },
  );
}

/** @throws {TandemError} `invalid` */
function readQuery({ query }: FastifyRequest): {
  readonly filter: AuditTrailFilter;
  readonly page: AuditTrailPage;
} {
  const members = query as Readonly<Record<string, unknown>>;
  const problems: RequestProblem[] = [];
  const action = readShortText('action', members.action, problems);
  const contains = readShortText('contains', members.contains, problems);
  const olderThan = readInstant('olderThan', members.olderThan, problems);
  const newerThan = readInstant('newerThan', members.newerThan, problems);
  const limit = readWholeNumber('limit', members.limit, AUDIT_LIMIT_MAX, problems);
  const cursor = readShortText('cursor', members.cursor, problems);
  if (problems.length > 0) return refuse(problems);
  return {
    filter: {
      ...(action === undefined ? {} : { action }),
      ...(contains === undefined ? {} : { contains }),
      ...(olderThan === undefined ? {} : { olderThan }),
      ...(newerThan === undefined ? {} : { newerThan }),
    },
    page: { limit: limit ?? AUDIT_LIMIT, ...(cursor === undefined ? {} : { cursor }) },
  };
}
