//   idle ──asked, or enough journal──> running ──┬──> idle
//    ^                                           │ failed
//    └────── tried again after a while ──────────┘
import { sentenceOf, TandemError } from '../errors.ts';
import { type Checkpointer, type Core, isBehind } from './checkpoint.ts';
import type { DiskTrouble } from './disk-watch.ts';
import type { OpenContext } from './open-context.ts';
import { storageError } from './whole-file.ts';

/** After a failed checkpoint, how long none is tried but on demand. */
const RETRY_MS = 30_000;
/**
 * A checkpoint writes every record, some 400 bytes of state and legacy file for each: among many it waits
 * for more journal, so that writing them all stays a bounded share of what is written. An opening after a
 * crash then replays about a third of a line a record more than it reads anyway.
 */
const JOURNAL_BYTES_A_RECORD = 128;

export interface CheckpointRunsOptions {
  readonly checkpointer: Checkpointer;
  /** A checkpoint starts by itself when this much journal is not covered by one, and of many records more. */
  readonly afterBytes: number;
  readonly core: () => Core;
  /** Told after each checkpoint, before whoever waits for it. */
  readonly onDone: () => Promise<void>;
}

/** When checkpoints are made; one at a time. */
export class CheckpointRuns {
  readonly #context: OpenContext;
  readonly #options: CheckpointRunsOptions;
  #running: Promise<void> | undefined;
  #retry: NodeJS.Timeout | undefined;
  #trouble: DiskTrouble | undefined;
  #ended = false;

  constructor(context: OpenContext, options: CheckpointRunsOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Stands while the last checkpoint is one that failed. */
  get trouble(): DiskTrouble | undefined {
    return this.#trouble;
  }

  /**
   * Brings the checkpoint files up to everything applied so far (I7).
   * @throws {TandemError} `storage-full`, `storage-failed`; `refused-to-open` when a file has become a
   *   symbolic link; `unavailable` once they have ended
   */
  now(): Promise<void> {
    return this.#now(() => {
      if (this.#ended) throw new TandemError('unavailable', 'The JSON store is being closed.');
    });
  }

  /** @param mayGoOn asked after each wait, right before something is begun */
  async #now(mayGoOn: () => void): Promise<void> {
    const { checkpointer, core } = this.#options;
    try {
      for (;;) {
        // One that is under way may have taken its snapshot before the last write; if it fails, whoever
        // started it is told.
        while (this.#running !== undefined) await this.settled();
        // One that began now would write into a store whose lock is let go of.
        mayGoOn();
        if (isBehind(core())) return await this.start();
        const differ = await checkpointer.filesDiffer(core());
        // Another one may have begun while the files were looked at.
        if (this.#running !== undefined) continue;
        mayGoOn();
        return await (differ ? this.start() : checkpointer.dropRelayed(core()));
      }
    } catch (error) {
      throw storageError('a checkpoint', error);
    }
  }

  /** Resolves when none is under way; never rejects. */
  async settled(): Promise<void> {
    // Whoever started it is told of its failure.
    await this.#running?.catch(() => {});
  }

  /** Makes one, whether it is needed or not; none is under way. */
  start(): Promise<void> {
    if (this.#running !== undefined) throw new Error('A checkpoint is under way already.');
    this.#running = this.#run().finally(() => {
      this.#running = undefined;
    });
    return this.#running;
  }

  async #run(): Promise<void> {
    const startedMs = performance.now();
    const tell = (isDone: boolean): void =>
      this.#context.observer.checkpointed({ startedMs, endedMs: performance.now(), isDone });
    try {
      await this.#options.checkpointer.run(this.#options.core());
      await this.#options.onDone();
      this.#trouble = undefined;
      this.#forgetRetry();
      tell(true);
    } catch (error) {
      tell(false);
      const since = this.#trouble?.since ?? new Date(this.#context.now()).toISOString();
      this.#trouble = { since, sentence: sentenceOf(error) };
      this.#tryAgainLater();
      throw error;
    }
  }

  /** Starts one in the background when enough journal has gathered since the last. */
  whenDue(): void {
    if (this.#running !== undefined || this.#ended || this.#retry !== undefined) return;
    const { manifest, journal, memory } = this.#options.core();
    const { replayFrom } = manifest.checkpoint;
    const bytes = manifest.segments
      .slice(0, -1)
      .reduce((sum, { number, length }) => sum + (number >= replayFrom ? length : 0), 0);
    const dueBytes = Math.max(this.#options.afterBytes, memory.size * JOURNAL_BYTES_A_RECORD);
    if (bytes + journal.mark.length >= dueBytes) this.#startInBackground();
  }

  /** The reason why the last one failed may be gone. */
  tryAgainNow(): void {
    if (this.#trouble === undefined || this.#running !== undefined || this.#ended) return;
    this.#forgetRetry();
    this.#startInBackground();
  }

  /** While one stands none is started by itself. */
  #forgetRetry(): void {
    clearTimeout(this.#retry);
    this.#retry = undefined;
  }

  #tryAgainLater(): void {
    if (this.#ended) return;
    this.#forgetRetry();
    this.#retry = setTimeout(() => this.tryAgainNow(), RETRY_MS).unref();
  }

  #startInBackground(): void {
    this.start().catch((error) => {
      const sentence = 'A checkpoint failed; it is tried again';
      this.#context.log.error({ error: sentenceOf(error) }, sentence);
    });
  }

  /** As `now`; what fails is in the log, and tried again later. */
  async try(sentence: string): Promise<void> {
    await this.now().catch((error: unknown) => {
      this.#context.log.warn({ error: sentenceOf(error) }, sentence);
    });
  }

  /**
   * Ends them, with a last one if it is wanted.
   * @returns why the files lack something after the last one, if they do
   */
  async end(wantsLast: boolean): Promise<unknown> {
    this.#ended = true;
    clearTimeout(this.#retry);
    try {
      if (wantsLast) await this.#now(() => {});
      else await this.settled();
      return undefined;
    } catch (error) {
      // Every acknowledged write is in the journal; the next open recovers from there.
      const sentence = 'The last checkpoint failed; the journal has it all';
      this.#context.log.error({ error: sentenceOf(error) }, sentence);
      return error;
    }
  }
}
