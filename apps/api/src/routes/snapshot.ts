import type { Snapshot } from '@tandem/telemetry/snapshot';
import type { FastifyInstance } from 'fastify';
import { sendTagged } from '../tagged-answer.ts';
import { refuse } from './operator-request.ts';
import { snapshotSchema } from './snapshot-schemas.ts';

export interface SnapshotOptions {
  readonly snapshot: (samplesAfterMs: number) => Promise<Snapshot>;
}

/** The one answer that the console polls. */
export function snapshot(app: FastifyInstance, { snapshot }: SnapshotOptions): void {
  app.get(
    '/api/v1/migration/snapshot',
    { logLevel: 'warn', config: { scope: 'operator' }, schema: snapshotSchema },
    async (request, reply) => {
      const answer = await snapshot(readAfter(request.query));
      const { at: _, ...content } = answer;
      return sendTagged(request, reply, answer, content);
    },
  );
}

/** @throws {TandemError} `invalid` */
function readAfter(query: unknown): number {
  const { after } = query as { after?: unknown };
  if (after === undefined) return 0;
  if (typeof after === 'string' && /^\d{1,15}$/.test(after)) return Number(after);
  return refuse([{ field: 'after', problem: 'must be the instant of a sample, in ms since 1970' }]);
}
