import type { Pool, PoolClient } from 'pg';
import { rejectsWith } from './backoff.ts';

export interface TransactionBounds {
  /** After this long the connection is cut, also when the server no longer answers. */
  readonly timeoutMs: number;
  /** The server ends the transaction once it hears nothing for this long, or nothing that it sends is taken;
   *  if not given, it waits for the former as long as `timeoutMs`, and for the latter as long as TCP does. */
  readonly idleMs?: number;
  /** Cuts the connection at once. */
  readonly signal?: AbortSignal;
}

/**
 * Runs `work` in one READ COMMITTED transaction on one connection of the pool. The server is told
 * the same bound, so a stopped process holds no lock for longer. An error during COMMIT leaves the
 * outcome unknown: callers must be able to find it out, or to do the work again.
 */
export async function inTransaction<T>(
  pool: Pool,
  { timeoutMs, idleMs, signal }: TransactionBounds,
  work: (client: PoolClient) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const loan = borrow(await connect(pool, signal));
  const { client } = loan;
  const onAbort = () => loan.cut(new Error('The transaction was aborted.'));
  signal?.addEventListener('abort', onAbort, { once: true });
  const timer = setTimeout(
    () => loan.cut(new Error(`The transaction took longer than ${timeoutMs} ms.`)),
    timeoutMs,
  );
  try {
    await client.query(beginning(timeoutMs, idleMs));
    // Also what `work` awaits elsewhere must not outlive the bound.
    const result = await Promise.race([work(client), loan.wasCut]);
    const { command } = await client.query('COMMIT');
    if (command !== 'COMMIT') throw new Error('A failed transaction was committed.');
    return result;
  } catch (error) {
    if (loan.cutBy !== undefined) throw loan.cutBy;
    await client.query('ROLLBACK').catch((failure: unknown) => loan.cut(failure));
    throw error;
  } finally {
    clearTimeout(timer);
    signal?.removeEventListener('abort', onAbort);
    loan.giveBack();
  }
}

/** The level is said, because a server, database or role may be set to another. */
function beginning(timeoutMs: number, idleMs = timeoutMs): string {
  const set = (name: string, ms: number): string => `SET LOCAL ${name} = ${ms}`;
  return [
    'BEGIN ISOLATION LEVEL READ COMMITTED',
    set('idle_in_transaction_session_timeout', idleMs),
    set('lock_timeout', timeoutMs),
    // A server that can't get rid of an answer is not idle: no other bound reaches it while it sends.
    ...(idleMs < timeoutMs ? [set('tcp_user_timeout', idleMs)] : []),
  ].join('; ');
}

/** Waits for a connection no longer than the signal allows; one that comes too late is put back. */
async function connect(pool: Pool, signal: AbortSignal | undefined): Promise<PoolClient> {
  const connecting = pool.connect();
  if (signal === undefined) return connecting;
  try {
    return await Promise.race([connecting, rejectsWith(signal)]);
  } catch (error) {
    connecting.then(
      (client) => client.release(),
      () => undefined,
    );
    throw error;
  }
}

interface Loan {
  readonly client: PoolClient;
  /** Why the connection was cut, if it was. */
  readonly cutBy: unknown;
  /** Rejects with that reason when it happens. */
  readonly wasCut: Promise<never>;
  /** Drops the connection, and with it whatever statement is on it. */
  cut(reason: unknown): void;
  giveBack(): void;
}

/** A pool client that is released exactly once. */
function borrow(client: PoolClient): Loan {
  let cutBy: unknown;
  let released = false;
  const cutting = Promise.withResolvers<never>();
  cutting.promise.catch(() => undefined);
  // A socket that dies between two statements emits `error`; the next statement then rejects.
  const onError = () => {};
  client.on('error', onError);
  const release = (reason?: unknown) => {
    if (released) return;
    released = true;
    client.release(reason instanceof Error ? reason : reason !== undefined);
  };
  return {
    client,
    wasCut: cutting.promise,
    get cutBy() {
      return cutBy;
    },
    cut(reason) {
      cutBy ??= reason;
      cutting.reject(cutBy);
      release(reason);
    },
    giveBack() {
      client.removeListener('error', onError);
      release();
    },
  };
}
