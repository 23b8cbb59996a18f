import type { Collection } from '../collections/index.ts';
import { TandemError } from '../errors.ts';
import type { Log } from '../log.ts';
import { askOrDo } from './ask-holder.ts';
import { checkpointErrand } from './errands.ts';
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
  const here = () => checkpointHere(options);
  const errand = checkpointErrand(directory);
  return (await askOrDo<unknown>(directory, errand, null, { timeoutMs, here })).holder;
}

async function checkpointHere({ directory, collections, log }: CheckpointOptions): Promise<void> {
  const store = await openJsonStore({ directory, collections, log, processName: 'checkpoint' });
  // Closing writes the checkpoint, and says if it can't.
  await store.close();
}
