import type { FastifyInstance } from 'fastify';
import { sendProblem } from '../plugins/problems.ts';
import { problemStatus } from '../problem.ts';
import { isProblemCode, type ProblemCode, problemCatalogue } from '../problem-catalogue.ts';
import { problemResponses } from './problem-schemas.ts';

/** `GET /problems/{code}`: what the `type` of a problem points to, as text for a person. */
export function problemPages(app: FastifyInstance): void {
  app.get<{ Params: { code: string } }>(
    '/problems/:code',
    {
      config: { scope: 'public' },
      schema: {
        tags: ['problems'],
        summary: 'What a problem means and what to do about it',
        params: {
          type: 'object',
          properties: {
            code: {
              type: 'string',
              description: 'The last part of a problem’s `type`.',
              examples: ['invalid'],
            },
          },
          required: ['code'],
        },
        response: {
          200: {
            description: 'The explanation, as plain text.',
            content: { 'text/plain': { schema: { type: 'string' } } },
          },
          ...problemResponses(['not-found']),
        },
      },
    },
    (request, reply) => {
      const { code } = request.params;
      if (!isProblemCode(code)) {
        sendProblem(reply, { code: 'not-found', detail: `There is no problem "${code}".` });
        return;
      }
      reply.type('text/plain; charset=utf-8').send(pageOf(code));
    },
  );
}

function pageOf(code: ProblemCode): string {
  const { title, meaning, remedy, retryAfterS } = problemCatalogue[code];
  const wait = retryAfterS === undefined ? '' : `\nretry:  after ${retryAfterS} s`;
  return `${title}\n\ncode:   ${code}\nstatus: ${problemStatus(code)}${wait}\n\n${meaning}\n\n${remedy}\n`;
}
