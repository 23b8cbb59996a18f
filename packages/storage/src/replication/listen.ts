import pg, { type Pool } from 'pg';
import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { backoffMs, pause } from './backoff.ts';

const RECONNECT = { minMs: 500, maxMs: 15_000 };

export interface Listening {
  readonly channel: string;
  readonly onNotified: (payload: string) => void;
  /** Told whenever the connection listens: what was said before reached nobody. */
  readonly onListening?: () => void;
}

/**
 * Listens on a connection of its own, reconnecting for as long as it takes. Losing it costs only
 * speed, so it is said at debug level. Behind a transaction pooler no notification arrives.
 * @returns a function that ends it
 */
export function listen(pool: Pool, listening: Listening, log: Log): () => Promise<void> {
  const ended = new AbortController();
  const loop = (async () => {
    for (let attempt = 0; !ended.signal.aborted; attempt++) {
      const sentence = await listenOnce(pool, listening, ended.signal, () => {
        attempt = 0;
      });
      if (ended.signal.aborted) return;
      log.debug(
        { channel: listening.channel, error: sentence },
        `Listening on ${listening.channel} ended (${sentence}); connecting again`,
      );
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
  { channel, onNotified, onListening }: Listening,
  signal: AbortSignal,
  onConnected: () => void,
): Promise<string> {
  const client = new pg.Client({ ...pool.options, keepAlive: true });
  const over = new Promise<string>((settle) => {
    client.on('error', (error) => settle(sentenceOf(error)));
    client.on('end', () => settle('the connection ended'));
    signal.addEventListener('abort', () => settle('stopped'), { once: true });
  });
  client.on('notification', (notification) => {
    if (notification.channel === channel) onNotified(notification.payload ?? '');
  });
  const begun = (async () => {
    await client.connect();
    await client.query(`LISTEN ${channel}`);
    return null;
  })();
  try {
    // A server that fell silent keeps neither of them from being ended.
    const early = await Promise.race([begun, over]);
    if (early !== null) return early;
    onConnected();
    onListening?.();
    return await over;
  } catch (error) {
    return sentenceOf(error);
  } finally {
    // Not awaited: a server that fell silent would never answer the goodbye.
    client.end().catch(() => undefined);
    begun.catch(() => undefined);
  }
}
