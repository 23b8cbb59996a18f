import { sentenceOf } from '@tandem/storage/errors';
import type { Log } from '@tandem/storage/log';
import type { JsonPhase, PhaseFlags } from '@tandem/storage/phase';

/** After a disk took no note; it says so itself. */
const RETRY_INTERVAL_MS = 5_000;

/** Keeps in the manifest what the flags' table said last, for a start at which it can't be read. */
export class LastKnownFlags {
  readonly #table: () => PhaseFlags | null;
  readonly #log: Log;
  #retryAtMs = 0;

  /** @param table what it said when the flags counted last; `null` before it was read */
  constructor(table: () => PhaseFlags | null, log: Log) {
    this.#table = table;
    this.#log = log;
  }

  /** Costs nothing while nothing has changed; never throws. */
  async keepIn(phase: JsonPhase): Promise<void> {
    const said = this.#table();
    if (said === null || isSame(said, phase.read().lastKnownFlags)) return;
    if (performance.now() < this.#retryAtMs) return;
    try {
      await phase.update({ lastKnownFlags: said });
    } catch (error) {
      this.#retryAtMs = performance.now() + RETRY_INTERVAL_MS;
      const fields = { error: sentenceOf(error) };
      this.#log.debug(fields, 'What the flags say could not be kept in the manifest.');
    }
  }
}

const isSame = (said: PhaseFlags, known: PhaseFlags | null): boolean =>
  said.USE_DATABASE_STORAGE === known?.USE_DATABASE_STORAGE &&
  said.DUAL_WRITE_ENABLED === known.DUAL_WRITE_ENABLED;
