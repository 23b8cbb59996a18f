import type { Collection } from '../collections/index.ts';
import { isTandemError, TandemError } from '../errors.ts';
import type { Log } from '../log.ts';
import { requestCheckpoint } from './checkpoint-request.ts';
import { inspectJsonStore } from './inspect.ts';
import { openJsonStore } from './open.ts';
import type { LockHolder } from './store-lock.ts';

export interface CheckpointOptions {
  readonly directory: string;
  readonly collections: readonly Collection[];
  readonly log: Log;
  readonly timeoutMs: number;
}

/**
 * Brings a store's files up to everything it has applied (I7): its holder does it when there is one,
 * else the store is opened and closed here.
 * @returns the holder that did it; `null` when nobody held the store
 * @throws {TandemError} `unavailable` when there is no store, or no answer in time; `storage-failed`,
 *   `storage-full`, `refused-to-open`
 */
export async function checkpointWherever(options: CheckpointOptions): Promise<LockHolder | null> {
  const { directory, timeoutMs } = options;
  if ((await inspectJsonStore(directory)).kind !== 'store') {
    throw new TandemError('unavailable', `There is no JSON store in ${directory} yet.`);
  }
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const holder = await requestCheckpoint(directory, deadlineMs);
    if (holder !== undefined) return holder;
    try {
      await checkpointHere(options);
      return null;
    } catch (error) {
      // Somebody was quicker, or has not said yet who it is: that one is asked.
      if (!isTandemError(error, 'lock-held') || performance.now() > deadlineMs) throw error;
    }
  }
}

async function checkpointHere({ directory, collections, log }: CheckpointOptions): Promise<void> {
  const store = await openJsonStore({ directory, collections, log, processName: 'checkpoint' });
  try {
    await store.checkpoint();
  } finally {
    await store.close();
  }
}
