import { setTimeout as sleep } from 'node:timers/promises';
import type { EditAdopter, EditOrder } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import { isTandemError, sentenceOf } from '../errors.ts';
import { type Log, silentLog } from '../log.ts';
import { noObserver, type Observer } from '../observer.ts';
import { adopt } from './adoption.ts';
import { answerAsHolder } from './ask-holder.ts';
import type { KeepDisagreements } from './disagreements.ts';
import { checkpointErrand, editErrand } from './errands.ts';
import { type FileLock, type FileSystem, realFileSystem } from './file-system.ts';
import { requestHandover } from './handover.ts';
import { JOURNAL_ROOM, type JournalRoom } from './journal.ts';
import { JsonStore } from './json-store.ts';
import { layoutOf } from './layout.ts';
import { refuseLinks } from './linked-file.ts';
import { readManifest } from './manifest.ts';
import { warnOfNetwork } from './network-file-system.ts';
import type { OpenContext } from './open-context.ts';
import { keepOpening, withOpening } from './opening.ts';
import { MeasuredPace, type Pace } from './pace.ts';
import { placeRefusal } from './place-refusal.ts';
import { recover } from './recovery.ts';
import type { Withdraw } from './request-file.ts';
import { takeLock } from './store-lock.ts';
import type { WarmFollower } from './warm-follower.ts';
import { PRIVATE_DIRECTORY, storageError } from './whole-file.ts';

const JOURNAL_BYTES_MAX = 256 << 20;
const CHECKPOINT_AFTER_BYTES = 64 << 20;
const IDLE_MARK_MS = 1_000;
const PROBE_INTERVAL_MS = 1_000;
const ACQUIRE_INTERVAL_MS = 50;

export interface JsonStoreOptions {
  /** Holds `expenses.json` and the like; made when it is missing. */
  readonly directory: string;
  readonly collections: readonly Collection[];
  readonly log?: Log;
  readonly observer?: Observer;
  /** Milliseconds since 1970. */
  readonly now?: () => number;
  readonly fileSystem?: FileSystem;
  /** Makes open external edits changes of this store, when it is primary. */
  readonly adoptExternalEdits?: boolean;
  /** Journal that waits for the relay beyond this is dropped under a catch-up mark. */
  readonly journalBytesMax?: number;
  /** A checkpoint starts by itself when this much journal is not covered by one. */
  readonly checkpointAfterBytes?: number;
  /** After a pause of this length in writing, the manifest notes how far the journal is durable. */
  readonly idleMarkMs?: number;
  /** While the disk is full, how often it is looked whether there is room again. */
  readonly probeIntervalMs?: number;
  /** Takes adopted edits as its changes in the phases in which it is the primary. */
  readonly otherPrimary?: EditAdopter;
  /** A follower of this process, whose memory the store goes on with instead of reading everything. */
  readonly follower?: WarmFollower | undefined;
  /** Names the holder to other processes; one that is named does errands for them (`errands.ts`). */
  readonly processName?: string;
  /** How a journal segment reserves room. */
  readonly journalRoom?: JournalRoom;
  /** How batches follow each other; measured, unless a test wants it repeatable. */
  readonly pace?: Pace;
  /** Keeps what applying must not overwrite. */
  readonly keepDisagreements?: KeepDisagreements;
}

/**
 * Takes the store's lock, then adopts legacy files or recovers, then serves.
 * @throws {TandemError} `lock-held`, naming the holder; `refused-to-open`, naming file, place, reason
 *   and what to do; `storage-full`, `storage-failed`
 */
export async function openJsonStore(options: JsonStoreOptions): Promise<JsonStore> {
  const { collections, fileSystem = realFileSystem, now = Date.now, log = silentLog } = options;
  const { observer = noObserver } = options;
  const layout = layoutOf(options.directory);
  const { journalRoom = JOURNAL_ROOM } = options;
  const context: OpenContext = {
    ...{ fileSystem, layout, collections, log, observer, now, journalRoom },
  };
  try {
    const lock = await takePlace(context, options.processName ?? process.title);
    let store: JsonStore | undefined;
    try {
      await fileSystem.mkdir(layout.handover, PRIVATE_DIRECTORY);
      await refuseLinks(context);
      await warnOfNetwork(context);
      const manifest = await readManifest(fileSystem, layout);
      const recovered = withOpening(
        manifest === undefined
          ? await adopt(context)
          : await recover(context, manifest, {
              trustFiles: true,
              warm: await options.follower?.handOver(context, manifest),
            }),
      );
      store = new JsonStore(context, lock, recovered, {
        journalBytesMax: options.journalBytesMax ?? JOURNAL_BYTES_MAX,
        checkpointAfterBytes: options.checkpointAfterBytes ?? CHECKPOINT_AFTER_BYTES,
        idleMarkMs: options.idleMarkMs ?? IDLE_MARK_MS,
        keepDisagreements: options.keepDisagreements,
        pace: options.pace ?? new MeasuredPace(),
        probeIntervalMs: options.probeIntervalMs ?? PROBE_INTERVAL_MS,
        otherPrimary: options.otherPrimary,
      });
      await keepOpening(store.phase, log);
      await store.start({
        checkpointNow: recovered.checkpointNow,
        adoptExternalEdits: options.adoptExternalEdits ?? false,
      });
      if (options.processName !== undefined) answerOthers(context, store);
      return store;
    } catch (error) {
      if (store === undefined) await lock.release();
      else await closeAnyway(store, log);
      throw error;
    }
  } catch (error) {
    throw storageError(`opening ${options.directory}`, error);
  }
}

/** Makes the folder, if need be, and takes its lock. */
async function takePlace(
  { fileSystem, layout, now }: OpenContext,
  name: string,
): Promise<FileLock> {
  try {
    await fileSystem.mkdir(layout.tandem, PRIVATE_DIRECTORY);
    return await takeLock(fileSystem, layout, name, now());
  } catch (error) {
    throw placeRefusal(layout.directory, error);
  }
}

/** Closes a store for the sake of another failure, which says more than this one's. */
async function closeAnyway(store: JsonStore, log: Log): Promise<void> {
  try {
    await store.close();
  } catch (error) {
    log.debug(
      { error: sentenceOf(error) },
      'A store that could not be opened was not checkpointed',
    );
  }
}

function answerOthers({ fileSystem, layout, log }: OpenContext, store: JsonStore): void {
  const { directory } = layout;
  const ends = [
    answerAsHolder(fileSystem, checkpointErrand(directory), log, () => store.checkpoint()),
    answerAsHolder(fileSystem, editErrand(directory), log, (order) =>
      store.decideEdit(order as EditOrder),
    ),
  ];
  const end = () => {
    for (const one of ends) one();
  };
  store.closing.addEventListener('abort', end, { once: true });
}

/**
 * Opens a store that another process may hold: asks it to hand over, and waits for the lock.
 * @param waiting.timeoutMs after which `lock-held` is thrown
 * @param waiting.onHeld told each time the lock is found held, with the sentence that names the holder
 * @throws as `openJsonStore`; the signal's reason when it aborts
 */
export async function acquireJsonStore(
  options: JsonStoreOptions,
  waiting: {
    readonly timeoutMs: number;
    readonly signal?: AbortSignal;
    readonly onHeld?: (sentence: string) => void;
  },
): Promise<JsonStore> {
  const deadlineMs = performance.now() + waiting.timeoutMs;
  let withdraw: Withdraw | undefined;
  try {
    for (;;) {
      waiting.signal?.throwIfAborted();
      try {
        return await openJsonStore(options);
      } catch (error) {
        if (!isTandemError(error, 'lock-held') || performance.now() >= deadlineMs) throw error;
        waiting.onHeld?.(error.message);
      }
      withdraw ??= await requestHandover(
        options.directory,
        {
          ...{ pid: process.pid, processName: options.processName ?? process.title },
          lifeMs: waiting.timeoutMs,
        },
        options.fileSystem,
      );
      const { signal } = waiting;
      await sleep(ACQUIRE_INTERVAL_MS, undefined, signal === undefined ? {} : { signal });
    }
  } finally {
    await withdraw?.();
  }
}
