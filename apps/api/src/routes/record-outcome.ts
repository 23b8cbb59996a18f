import { entityTag, type Outcome } from '@tandem/storage/changes';
import type { Collection } from '@tandem/storage/collections';
import type { FastifyReply } from 'fastify';
import { sendProblem, sendReplayable } from '../plugins/problems.ts';
import { invalidRequest, type Problem } from '../problem.ts';

export const JSON_TYPE = 'application/json; charset=utf-8';

const notFound = ({ name }: Collection, id: string | number): Problem => ({
  code: 'not-found',
  detail: `There is no ${name} ${id}.`,
});

export const sendNotFound = (reply: FastifyReply, collection: Collection, id: string) =>
  sendProblem(reply, notFound(collection, id));

/**
 * Answers a write from its outcome alone: a replayed outcome is answered with the same bytes. The
 * record's canonical text is put into the answer as it is, so no number passes through a float (I8).
 */
export function sendOutcome(reply: FastifyReply, collection: Collection, outcome: Outcome) {
  switch (outcome.kind) {
    case 'created':
    case 'updated': {
      const name = JSON.stringify(collection.name);
      const text = `{"status":"${outcome.kind}",${name}:${outcome.text}}`;
      // Of the record in this answer, also where it is replayed: the next write can be conditional.
      reply.header('etag', entityTag(outcome));
      return reply.type(JSON_TYPE).send(text);
    }
    case 'deleted':
      return reply.type(JSON_TYPE).send(`{"status":"deleted","id":${outcome.id}}`);
    case 'bulk-deleted':
      return reply.type(JSON_TYPE).send(`{"status":"deleted","count":${outcome.count}}`);
    case 'not-found':
      return sendReplayable(reply, notFound(collection, outcome.id));
    case 'precondition-failed':
      return sendReplayable(reply, {
        code: 'precondition-failed',
        detail: `The ${collection.name} ${outcome.id} is in another state than If-Match asks for.`,
      });
    case 'invalid':
      return sendReplayable(reply, invalidRequest(outcome.problems));
  }
}
