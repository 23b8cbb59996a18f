import type { ExternalEdits } from '@tandem/storage/json';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  adoptEditSchema,
  editListSchema,
  rejectEditSchema,
  showEditSchema,
} from './external-edit-schemas.ts';
import { readAsked } from './migration-body.ts';

export interface ExternalEditOptions {
  readonly edits: ExternalEdits;
}

const BASE = '/api/v1/migration/external-edits';

/** Edits of the JSON files that something else made. */
export function externalEdits(app: FastifyInstance, { edits }: ExternalEditOptions): void {
  const config = { scope: 'operator' } as const;
  const decide = (act: 'adopt' | 'reject') => async (request: FastifyRequest) => {
    const edit = nameOf(request);
    const { actor, reason, dryRun } = readAsked(request);
    if (dryRun !== true) return edits.decide({ edit, act, actor, reason });
    const { records: _records, ...listed } = await edits.show(edit);
    return listed;
  };

  app.get(BASE, { config, schema: editListSchema }, () => edits.list());
  app.get(`${BASE}/:name`, { config, schema: showEditSchema }, async (request) =>
    edits.show(nameOf(request)),
  );
  app.post(`${BASE}/:name/adopt`, { config, schema: adoptEditSchema }, decide('adopt'));
  app.post(`${BASE}/:name/reject`, { config, schema: rejectEditSchema }, decide('reject'));
}

const nameOf = (request: FastifyRequest): string => (request.params as { name: string }).name;
