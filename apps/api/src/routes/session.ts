import type { Credentials } from '@tandem/storage/tokens';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ConsoleSessions } from '../guard/console-session.ts';
import { sendProblem } from '../plugins/problems.ts';
import { closeSessionSchema, openSessionSchema, readSessionSchema } from './session-schemas.ts';

export interface SessionOptions {
  readonly sessions: ConsoleSessions;
  readonly credentials: Credentials;
}

const PATH = '/api/v1/migration/session';
const NOT_BY_COOKIE = 'A session is given for the operators’ token, as Authorization: Bearer ….';

/** The console exchanges the operators' token for a cookie that no script can read. */
export function session(app: FastifyInstance, { sessions, credentials }: SessionOptions): void {
  const config = { scope: 'operator' } as const;

  app.post(PATH, { config, schema: openSessionSchema }, (request, reply) => {
    // A session gives no other one, or whoever has a cookie would have it for ever.
    if (!('grant' in credentials.authenticate(request.headers.authorization))) {
      return sendProblem(reply, { code: 'forbidden', detail: NOT_BY_COOKIE });
    }
    const { cookie } = sessions.open(isOverTls(request));
    return reply.header('set-cookie', cookie).code(204).send();
  });

  app.get(PATH, { config, schema: readSessionSchema }, (request, reply) => {
    const session = sessions.read(request.headers.cookie);
    const expiresAt = session === undefined ? null : new Date(session.expiresAtMs).toISOString();
    return reply.send({ expiresAt });
  });

  app.delete(PATH, { config, schema: closeSessionSchema }, (request, reply) => {
    const session = sessions.read(request.headers.cookie);
    if (session !== undefined)
      reply.header('set-cookie', sessions.close(session, isOverTls(request)));
    return reply.code(204).send();
  });
}

/** A proxy that ends TLS says so. Who lies about it gets a cookie that it can't send. */
const isOverTls = (request: FastifyRequest): boolean =>
  request.protocol === 'https' || request.headers['x-forwarded-proto'] === 'https';
