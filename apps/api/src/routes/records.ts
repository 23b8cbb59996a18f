import type { Collection } from '@tandem/storage/collections';
import type { RecordStore } from '@tandem/storage/store';
import type { FastifyInstance, HTTPMethods } from 'fastify';
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
    refuse(app, `${path}/bulk-delete`, ['GET', 'PUT', 'PATCH', 'DELETE']);
  }
}

/** Without these, `GET /expense/bulk-delete` and the like would look for a record of this id. */
function refuse(app: FastifyInstance, url: string, method: HTTPMethods[]): void {
  app.route({
    ...{ url, method, schema: { hide: true }, config: { scope: 'write', refuses: true } },
    onRequest: async (_request, reply) => reply.callNotFound(),
    handler: () => {
      throw new Error('The request was answered before its body was read.');
    },
  });
}
