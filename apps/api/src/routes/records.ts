import type { Collection } from '@tandem/storage/collections';
import type { RecordStore } from '@tandem/storage/store';
import type { FastifyInstance, HTTPMethods } from 'fastify';
import { sendProblem } from '../plugins/problems.ts';
import { pathOf } from '../request-log.ts';
import { recordReads } from './record-reads.ts';
import { sharedSchemas } from './record-schemas.ts';
import { recordWrites } from './record-writes.ts';

/**
 * The record API (DESIGN.md, section 4): the same routes for every collection's definition.
 *
 * @param primary the store that serves now; throws a `TandemError` when there is none
 */
export function records(
  app: FastifyInstance,
  collections: readonly Collection[],
  primary: () => RecordStore,
): void {
  for (const schema of sharedSchemas(collections)) app.addSchema(schema);
  for (const collection of collections) {
    const path = `/api/v1/${collection.name}`;
    recordReads(app, path, collection, primary);
    recordWrites(app, path, collection, primary);
    refuse(app, path, ['PUT', 'PATCH', 'DELETE'], 'GET, HEAD, POST');
    refuse(app, `${path}/:id`, ['POST'], 'GET, HEAD, PUT, PATCH, DELETE');
    refuse(app, `${path}/bulk-delete`, ['GET', 'PUT', 'PATCH', 'DELETE'], 'POST');
  }
}

/** Answers 405 before a body is looked at. */
function refuse(app: FastifyInstance, url: string, method: HTTPMethods[], allow: string): void {
  app.route({
    url,
    method,
    config: { scope: 'write' },
    schema: { hide: true },
    onRequest: async (request, reply) => {
      const detail = `${pathOf(request.url)} has no ${request.method}; it has ${allow}.`;
      reply.header('allow', allow);
      return sendProblem(reply, { code: 'method-not-allowed', detail });
    },
    handler: () => {
      throw new Error('The request was answered before its body was read.');
    },
  });
}
