//   fine ──a write found no room──> full ──a probe finds some, or a write went through──> fine
//   fine ──a sync failed──────────> broken ──recovered from disk──> fine
import { randomBytes } from 'node:crypto';
import { isTandemError, sentenceOf } from '../errors.ts';
import { isFileError } from './file-system.ts';
import type { OpenContext } from './open-context.ts';
import { removeIfPresent, writeSynced } from './whole-file.ts';

/** As much as the largest request brings: what follows the probe shall fit. */
const PROBE_BYTES = 1 << 20;

/** What keeps a store's disk from taking what it should, as a sentence, and since when (ISO instant). */
export interface DiskTrouble {
  readonly since: string;
  readonly sentence: string;
}

/**
 * Whether the disk has room for what comes next. Bytes that no file system can make small are written,
 * synced and removed again: what `statfs` says leaves out quotas and reserves.
 */
export async function hasRoom({ fileSystem, layout }: OpenContext): Promise<boolean> {
  try {
    await writeSynced(fileSystem, layout.probe, randomBytes(PROBE_BYTES));
    return true;
  } catch (error) {
    if (isFileError(error, 'ENOSPC', 'EDQUOT')) return false;
    throw error;
  } finally {
    await removeIfPresent(fileSystem, layout.probe);
  }
}

export interface DiskWatchOptions {
  /** Between two probes of a full disk. */
  readonly intervalMs: number;
  /** Looks whether there is room, while no write is under way. */
  readonly probe: () => Promise<boolean>;
  /** Told when a probe found room again. */
  readonly onRoom: () => void;
}

/** Remembers since when the disk takes no writes, and finds out by itself when it does again. */
export class DiskWatch {
  readonly #context: OpenContext;
  readonly #options: DiskWatchOptions;
  #trouble: DiskTrouble | undefined;
  #timer: NodeJS.Timeout | undefined;
  #ended = false;

  constructor(context: OpenContext, options: DiskWatchOptions) {
    this.#context = context;
    this.#options = options;
  }

  /** Stands while writes are refused. */
  get trouble(): DiskTrouble | undefined {
    return this.#trouble;
  }

  /** Runs something that writes, and learns from how it ends. */
  async during<T>(write: () => Promise<T>): Promise<T> {
    try {
      const result = await write();
      if (this.#trouble !== undefined) this.fine();
      return result;
    } catch (error) {
      if (isTandemError(error, 'storage-full')) this.#full(error.message);
      throw error;
    }
  }

  broken(sentence: string): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#trouble = { since: this.#instant(), sentence };
  }

  fine(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#trouble === undefined) return;
    const { since } = this.#trouble;
    this.#trouble = undefined;
    this.#context.log.warn({ since }, 'The disk of the JSON store takes writes again');
  }

  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }

  #full(sentence: string): void {
    if (this.#trouble === undefined) {
      this.#context.log.error({ reason: sentence }, 'The JSON store refuses writes; reads go on');
      this.#trouble = { since: this.#instant(), sentence };
    }
    this.#probeLater();
  }

  #probeLater(): void {
    if (this.#timer !== undefined || this.#ended) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      void this.#probe();
    }, this.#options.intervalMs).unref();
  }

  async #probe(): Promise<void> {
    try {
      if (await this.#options.probe()) {
        this.fine();
        this.#options.onRoom();
        return;
      }
    } catch (error) {
      this.#context.log.debug(
        { error: sentenceOf(error) },
        'It could not be seen if there is room',
      );
    }
    if (this.#trouble !== undefined) this.#probeLater();
  }

  #instant(): string {
    return new Date(this.#context.now()).toISOString();
  }
}
