import { Readable } from 'node:stream';
import { entityTag } from '@tandem/storage/changes';
import type { Collection } from '@tandem/storage/collections';
import type { RecordStore } from '@tandem/storage/store';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { isNotModified } from '../entity-tags.ts';
import { jsonArray, jsonArrayOf } from '../json-array.ts';
import { nextPageLink, type PageRequest, readPageRequest } from '../page-request.ts';
import { isRecordId } from '../record-id.ts';
import { JSON_TYPE, sendNotFound } from './record-outcome.ts';
import { getSchema, listSchema } from './record-schemas.ts';

/** `GET` on the list and on one record. `path` is the collection's, e.g. `/api/v1/expense`. */
export function recordReads(
  app: FastifyInstance,
  path: string,
  collection: Collection,
  primary: () => RecordStore,
): void {
  const config = { scope: 'read' } as const;

  async function sendPage(reply: FastifyReply, { limit, after }: PageRequest) {
    const page = await primary().page(
      collection,
      after === undefined ? { limit } : { limit, after },
    );
    if (page.next !== undefined) reply.header('link', nextPageLink(path, limit, page.next));
    const texts = page.records.map(({ text }) => text);
    return reply.type(JSON_TYPE).send(await jsonArrayOf(texts));
  }

  app.get(path, { config, schema: listSchema(collection) }, async (request, reply) => {
    const page = readPageRequest(request.query as Record<string, unknown>);
    if (page !== undefined) return sendPage(reply, page);
    const store = primary();
    if (request.method === 'HEAD') {
      // The length of the whole list is not worth reading the whole list; whether it can be read is.
      await store.page(collection, { limit: 1 });
      return reply.type(JSON_TYPE).send(Readable.from([]));
    }
    return reply.type(JSON_TYPE).send(await jsonArray(store.list(collection)));
  });

  app.get(
    `${path}/:id`,
    { config, schema: getSchema(collection) },
    async (request: FastifyRequest, reply) => {
      const { id } = request.params as { id: string };
      const record = isRecordId(id) ? await primary().get(collection, Number(id)) : undefined;
      if (record === undefined) return sendNotFound(reply, collection, id);
      const tag = entityTag(record);
      reply.header('etag', tag);
      if (isNotModified(request.headers['if-none-match'], tag)) return reply.code(304).send();
      return reply.type(JSON_TYPE).send(record.text);
    },
  );
}
