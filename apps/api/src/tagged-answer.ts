import { createHash } from 'node:crypto';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { isNotModified } from './entity-tags.ts';

/**
 * Sends a JSON answer with the entity tag of its content, or 304 when the client has it already.
 * @param content what the tag speaks for, where the answer also tells e.g. when it was made
 */
export function sendTagged(
  request: FastifyRequest,
  reply: FastifyReply,
  answer: object,
  content: object = answer,
): FastifyReply {
  const digest = createHash('sha256').update(JSON.stringify(content)).digest('base64url');
  const tag = `"${digest.slice(0, 22)}"`;
  reply.header('etag', tag);
  if (isNotModified(request.headers['if-none-match'], tag)) return reply.code(304).send();
  return reply.send(answer);
}
