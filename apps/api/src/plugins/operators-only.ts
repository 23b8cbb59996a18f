import { bearsToken } from '@tandem/storage/operator-token';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { sendProblem } from './problems.ts';

const DETAIL = 'Operators send their token as Authorization: Bearer ….';

/** An `onRequest` hook that refuses every request without the operators' token, before its body is
 *  read. */
export const operatorsOnly =
  (token: string) =>
  async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply | undefined> => {
    reply.header('cache-control', 'no-store');
    if (bearsToken(request.headers.authorization, token)) return undefined;
    reply.header('www-authenticate', 'Bearer realm="tandem operators"');
    return sendProblem(reply, { code: 'unauthorized', detail: DETAIL });
  };
