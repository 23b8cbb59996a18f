import type { Command } from '@tandem/storage/changes';
import type { Collection } from '@tandem/storage/collections';
import type { RecordStore } from '@tandem/storage/store';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { readIfMatch } from '../entity-tags.ts';
import { readIdempotencyKey } from '../idempotency-key.ts';
import { isRecordId } from '../record-id.ts';
import { readIds, readPatch, readValues } from './record-body.ts';
import { sendNotFound, sendOutcome } from './record-outcome.ts';
import {
  bulkDeleteSchema,
  createSchema,
  deleteSchema,
  patchSchema,
  putSchema,
} from './record-schemas.ts';

/** Everything that changes records. Each route reads its request, writes once, and answers. */
export function recordWrites(
  app: FastifyInstance,
  path: string,
  collection: Collection,
  primary: () => RecordStore,
): void {
  const config = { scope: 'write' } as const;

  async function write(request: FastifyRequest, reply: FastifyReply, command: Command) {
    const key = readIdempotencyKey(request);
    const trace = request.traced?.traceparent;
    const outcome = await primary().write({
      command,
      ...(key === undefined ? {} : { key }),
      ...(trace === undefined ? {} : { trace }),
    });
    return sendOutcome(reply, collection, outcome);
  }

  /** A write to the record that the path names. The body is read first: a bad one is told as such. */
  async function writeTo(
    request: FastifyRequest,
    reply: FastifyReply,
    command: { op: 'update'; set: ReturnType<typeof readPatch> } | { op: 'delete' },
  ) {
    const { id } = request.params as { id: string };
    if (!isRecordId(id)) return sendNotFound(reply, collection, id);
    const ifMatch = readIfMatch(request.headers['if-match']);
    const precondition = ifMatch === undefined ? {} : { ifMatch };
    return write(request, reply, { ...command, collection, id: Number(id), ...precondition });
  }

  app.post(path, { config, schema: createSchema(collection) }, async (request, reply) => {
    const values = readValues(request, collection, 'create');
    return write(request, reply, { op: 'create', collection, values });
  });

  app.patch(`${path}/:id`, { config, schema: patchSchema(collection) }, async (request, reply) =>
    writeTo(request, reply, { op: 'update', set: readPatch(request, collection) }),
  );

  app.put(`${path}/:id`, { config, schema: putSchema(collection) }, async (request, reply) =>
    writeTo(request, reply, { op: 'update', set: readValues(request, collection, 'update') }),
  );

  app.delete(`${path}/:id`, { config, schema: deleteSchema(collection) }, async (request, reply) =>
    writeTo(request, reply, { op: 'delete' }),
  );

  app.post(
    `${path}/bulk-delete`,
    { config, schema: bulkDeleteSchema(collection) },
    async (request, reply) =>
      write(request, reply, { op: 'bulk-delete', collection, ids: readIds(request) }),
  );
}
