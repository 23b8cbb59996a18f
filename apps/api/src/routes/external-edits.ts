import type { ExternalEdits } from '@tandem/storage/json';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { operatorsOnly } from '../plugins/operators-only.ts';
import {
  adoptEditSchema,
  editListSchema,
  rejectEditSchema,
  showEditSchema,
} from './external-edit-schemas.ts';
import { readAsked } from './migration-body.ts';

export interface ExternalEditOptions {
  readonly edits: ExternalEdits;
  /** What operators send as `Authorization: Bearer …`. */
  readonly token: string;
}

const BASE = '/api/v1/migration/external-edits';

/** Edits of the JSON files that something else made. Each route needs the token. */
export function externalEdits(app: FastifyInstance, { edits, token }: ExternalEditOptions): void {
  const onRequest = operatorsOnly(token);
  const decide = (act: 'adopt' | 'reject') => async (request: FastifyRequest) => {
    const edit = nameOf(request);
    const { actor, reason, dryRun } = readAsked(request);
    if (dryRun !== true) return edits.decide({ edit, act, actor, reason });
    const { records: _records, ...listed } = await edits.show(edit);
    return listed;
  };

  app.get(BASE, { onRequest, schema: editListSchema }, () => edits.list());
  app.get(`${BASE}/:name`, { onRequest, schema: showEditSchema }, async (request) =>
    edits.show(nameOf(request)),
  );
  app.post(`${BASE}/:name/adopt`, { onRequest, schema: adoptEditSchema }, decide('adopt'));
  app.post(`${BASE}/:name/reject`, { onRequest, schema: rejectEditSchema }, decide('reject'));
}

const nameOf = (request: FastifyRequest): string => (request.params as { name: string }).name;
