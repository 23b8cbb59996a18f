//   enqueue ──NOTIFY──> LISTEN ──> worker fetches now
//   (lost, or no listener: the worker's polling finds the jobs a little later)
import pg, { type Pool } from 'pg';
import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { backoffMs, pause } from './backoff.ts';

const CHANNEL = 'tandem_jobs';
const RECONNECT = { minMs: 500, maxMs: 15_000 };

/** Says that a queue has jobs. Takes effect when the connection's transaction commits. */
export async function sayJobsArrived(
  connection: { query(text: string, values: unknown[]): Promise<unknown> },
  queue: string,
): Promise<void> {
  await connection.query('SELECT pg_notify($1, $2)', [CHANNEL, queue]);
}

/**
 * Listens on a connection of its own, reconnecting for as long as it takes. Losing it costs only
 * speed, so it is said at debug level. Behind a transaction pooler no notification arrives.
 * @returns a function that ends it
 */
export function listenForJobs(
  pool: Pool,
  onJobs: (queue: string) => void,
  log: Log,
): () => Promise<void> {
  const ended = new AbortController();
  const loop = (async () => {
    for (let attempt = 0; !ended.signal.aborted; attempt++) {
      const sentence = await listenOnce(pool, onJobs, ended.signal, () => {
        attempt = 0;
      });
      if (ended.signal.aborted) return;
      log.debug({ error: sentence }, `Listening for jobs ended (${sentence}); connecting again`);
      await pause(backoffMs(attempt, RECONNECT), ended.signal);
    }
  })();
  return async () => {
    ended.abort();
    await loop;
  };
}

/** Resolves with the reason when the connection is over. */
async function listenOnce(
  pool: Pool,
  onJobs: (queue: string) => void,
  signal: AbortSignal,
  onListening: () => void,
): Promise<string> {
  const client = new pg.Client({ ...pool.options, keepAlive: true });
  const over = new Promise<string>((settle) => {
    client.on('error', (error) => settle(sentenceOf(error)));
    client.on('end', () => settle('the connection ended'));
    signal.addEventListener('abort', () => settle('stopped'), { once: true });
  });
  client.on('notification', ({ channel, payload }) => {
    if (channel === CHANNEL && payload !== undefined) onJobs(payload);
  });
  try {
    await client.connect();
    await client.query(`LISTEN ${CHANNEL}`);
    onListening();
    return await over;
  } catch (error) {
    return sentenceOf(error);
  } finally {
    // Not awaited: a server that fell silent would never answer the goodbye.
    client.end().catch(() => undefined);
  }
}
