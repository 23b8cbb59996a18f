import { setTimeout as sleep } from 'node:timers/promises';
import { isTandemError } from '@tandem/storage/errors';
import { acquireJsonStore, type JsonStore, type JsonStoreOptions } from '@tandem/storage/json';

/** A request to hand the store over stands this long; then it is made anew. */
const REQUEST_INTERVAL_MS = 30_000;
/** After a crash a full disk has no room for what recovery writes; it is tried again this often. */
const ROOM_INTERVAL_MS = 1_000;

interface Standby {
  readonly signal: AbortSignal;
  /** Told each time the lock is found held, or the disk full, with the sentence that says so. */
  readonly onHeld: (sentence: string) => void;
}

/**
 * Opens the JSON store, for as long as it takes. A worker that holds it is asked to hand it over, and
 * does; another api process in a JSON phase keeps it, and this one stands by. A full disk is waited for,
 * too: whoever makes room need not start anything.
 * @throws {TandemError} whatever opening refuses; `signal.reason` when aborted
 */
export async function holdJsonStore(
  options: JsonStoreOptions,
  standby: Standby,
): Promise<JsonStore> {
  for (;;) {
    try {
      return await acquireJsonStore(options, { ...standby, timeoutMs: REQUEST_INTERVAL_MS });
    } catch (error) {
      if (isTandemError(error, 'storage-full')) {
        standby.onHeld(error.message);
        await sleep(ROOM_INTERVAL_MS, undefined, { signal: standby.signal });
      } else if (!isTandemError(error, 'lock-held')) throw error;
    }
  }
}
