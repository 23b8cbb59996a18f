import type { MigrationOperations } from '@tandem/storage/phase';
import type { FastifyInstance } from 'fastify';
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
}

const BASE = '/api/v1/migration';

/** What operators see and order. */
export function migration(app: FastifyInstance, { operations }: MigrationOptions): void {
  const config = { scope: 'operator' } as const;

  app.get(`${BASE}/phase`, { config, schema: phaseSchema }, () => operations.phase());

  app.get(`${BASE}/phase/history`, { config, schema: historySchema }, async (request) =>
    operations.history(readHistoryLimit(request)),
  );

  app.put(`${BASE}/phase`, { config, schema: setPhaseSchema }, async (request) => {
    const { desired, asked } = readPhaseRequest(request);
    return operations.setPhase(desired, asked);
  });

  app.delete(`${BASE}/phase`, { config, schema: cancelPhaseSchema }, async (request) =>
    operations.cancelPhase(readCancellation(request)),
  );

  app.get(`${BASE}/backfill`, { config, schema: backfillsSchema }, () => operations.backfills());

  app.post(`${BASE}/backfill`, { config, schema: askBackfillSchema }, async (request) =>
    operations.askBackfill(readOrder(request)),
  );

  app.get(`${BASE}/processes`, { config, schema: processesSchema }, () => operations.processes());
}
