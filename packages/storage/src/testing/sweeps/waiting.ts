import { setTimeout as sleep } from 'node:timers/promises';
import { isTandemError } from '../../errors.ts';
import type { JsonStore } from '../../json/index.ts';
import { Violation } from './violation.ts';

const DEADLINE_MS = 20_000;

/** Nothing here takes long: what does not end hangs. */
export async function withDeadline<T>(work: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const hangs = sleep(DEADLINE_MS, undefined, { signal: ended.signal, ref: true }).then(
    () => {
      throw new Violation(`A call did not end within ${DEADLINE_MS / 1000} s.`);
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, hangs]);
  } finally {
    ended.abort();
  }
}

const ASK_INTERVAL_MS = 5;

/** Waits until the store takes writes, as far as its phase lets it. */
export async function untilServing(store: JsonStore): Promise<void> {
  for (const deadline = Date.now() + DEADLINE_MS; ; ) {
    try {
      await store.raiseIdHighWater({});
      return;
    } catch (error) {
      if (!isTandemError(error, 'storage-failed')) throw error;
      if (Date.now() > deadline) throw new Violation('The store did not recover by itself.');
      await sleep(ASK_INTERVAL_MS);
    }
  }
}
