import type { MigrationOperations } from '@tandem/storage/phase';
import type { FastifyInstance } from 'fastify';
import { operatorsOnly } from '../plugins/operators-only.ts';
import {
  readCancellation,
  readHistoryLimit,
  readOrder,
  readPhaseRequest,
} from './migration-body.ts';
import {
  askBackfillSchema,
  backfillsSchema,
  cancelPhaseSchema,
  historySchema,
  phaseSchema,
  processesSchema,
  setPhaseSchema,
} from './migration-schemas.ts';

export interface MigrationOptions {
  readonly operations: MigrationOperations;
  /** What operators send as `Authorization: Bearer …`. */
  readonly token: string;
}

const BASE = '/api/v1/migration';

/** What operators see and order. Each route needs the token. */
export function migration(app: FastifyInstance, { operations, token }: MigrationOptions): void {
  // A hook of each route, not of a scope: a scope would have a validator of its own, and bodies are
  // read by the routes themselves (`plugins/request-bodies.ts`).
  const onRequest = operatorsOnly(token);

  app.get(`${BASE}/phase`, { onRequest, schema: phaseSchema }, () => operations.phase());

  app.get(`${BASE}/phase/history`, { onRequest, schema: historySchema }, async (request) =>
    operations.history(readHistoryLimit(request)),
  );

  app.put(`${BASE}/phase`, { onRequest, schema: setPhaseSchema }, async (request) => {
    const { desired, asked } = readPhaseRequest(request);
    return operations.setPhase(desired, asked);
  });

  app.delete(`${BASE}/phase`, { onRequest, schema: cancelPhaseSchema }, async (request) =>
    operations.cancelPhase(readCancellation(request)),
  );

  app.get(`${BASE}/backfill`, { onRequest, schema: backfillsSchema }, () => operations.backfills());

  app.post(`${BASE}/backfill`, { onRequest, schema: askBackfillSchema }, async (request) =>
    operations.askBackfill(readOrder(request)),
  );

  app.get(`${BASE}/processes`, { onRequest, schema: processesSchema }, () =>
    operations.processes(),
  );
}
