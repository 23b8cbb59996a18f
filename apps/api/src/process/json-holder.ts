import { isTandemError } from '@tandem/storage/errors';
import { acquireJsonStore, type JsonStore, type JsonStoreOptions } from '@tandem/storage/json';

/** A request to hand the store over stands this long; then it is made anew. */
const REQUEST_INTERVAL_MS = 30_000;

interface Standby {
  readonly signal: AbortSignal;
  /** Told each time the lock is found held, with the sentence that names the holder. */
  readonly onHeld: (sentence: string) => void;
}

/**
 * Opens the JSON store, for as long as it takes. A worker that holds it is asked to hand it over, and
 * does; another api process in a JSON phase keeps it, and this one stands by.
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
      if (!isTandemError(error, 'lock-held')) throw error;
    }
  }
}
