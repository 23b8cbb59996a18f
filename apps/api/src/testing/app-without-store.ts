import { loadCollections } from '@tandem/storage/collections';
import { TandemError } from '@tandem/storage/errors';
import type { FastifyInstance } from 'fastify';
import { pino } from 'pino';
import { type AppOptions, build } from '../app.ts';
import type { Readiness } from '../readiness.ts';

export const READY: Readiness = {
  ready: true,
  status: 'ok',
  phase: { desired: 'json-only', effective: 'json-only', epoch: 1 },
  dependencies: { json: { status: 'up' }, postgres: { status: 'unused' } },
};

const unavailable = () => {
  throw new TandemError('unavailable', 'PostgreSQL can not be reached.', {
    detail: { host: 'db' },
    cause: new Error('connect ECONNREFUSED 10.0.0.7:5432'),
  });
};

/** The API where no store serves, and the lines it logged. */
export async function appWithoutStore(
  options: Partial<AppOptions> = {},
): Promise<{ app: FastifyInstance; lines: Record<string, unknown>[] }> {
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info' }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const collections = await loadCollections();
  const given = { collections, primary: unavailable, readiness: () => READY, log };
  return { app: await build({ ...given, ...options }), lines };
}
