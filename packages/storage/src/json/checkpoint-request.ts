//   requester: handover/checkpoint-request ──> holder: checkpoint ──> handover/checkpoint-answer
import { setTimeout as sleep } from 'node:timers/promises';
import { sentenceOf, TandemError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type FileSystem, realFileSystem } from './file-system.ts';
import { type Layout, layoutOf } from './layout.ts';
import { placeRequest, readMessage, watchRequests, writeWhole } from './request-file.ts';
import { type LockHolder, lockHolder } from './store-lock.ts';

const ANSWER_INTERVAL_MS = 50;

interface CheckpointAnswer {
  /** Of the request. */
  readonly id: string;
  /** One sentence when it failed. */
  readonly problem: string | null;
}

/**
 * Asks whoever holds a store's lock to bring its files up to everything it has applied.
 * @param deadlineMs of `performance.now()`
 * @returns the holder that did; `undefined` when nobody holds the lock, or not any more
 * @throws {TandemError} `unavailable` without an answer in time; `storage-failed` with the holder's own
 *   sentence
 */
export async function requestCheckpoint(
  directory: string,
  deadlineMs: number,
): Promise<LockHolder | undefined> {
  const fileSystem = realFileSystem;
  const layout = layoutOf(directory);
  let holder = await lockHolder(fileSystem, layout);
  if (holder === undefined) return undefined;
  const lifeMs = Math.max(0, deadlineMs - performance.now());
  const { id, withdraw } = await placeRequest(fileSystem, layout.checkpointRequest, {
    ...{ pid: process.pid, processName: 'checkpoint', lifeMs },
  });
  try {
    while (holder !== undefined) {
      const answer = await readMessage<CheckpointAnswer>(fileSystem, layout.checkpointAnswer);
      if (answer?.id === id) {
        if (answer.problem !== null) throw new TandemError('storage-failed', answer.problem);
        return holder;
      }
      if (performance.now() > deadlineMs) throw noAnswer(holder);
      await sleep(ANSWER_INTERVAL_MS);
      holder = await lockHolder(fileSystem, layout);
    }
    return undefined;
  } finally {
    await withdraw();
  }
}

const noAnswer = ({ processName, pid, host }: LockHolder): TandemError =>
  new TandemError(
    'unavailable',
    `${processName} (process ${pid} on ${host}) holds the JSON store and has not answered in time.`,
  );

/**
 * Answers requests for a checkpoint while the lock is held.
 * @returns ends it
 */
export function answerCheckpointRequests(
  fileSystem: FileSystem,
  layout: Layout,
  log: Log,
  checkpoint: () => Promise<void>,
): () => void {
  const { checkpointRequest, checkpointAnswer } = layout;
  let ended = false;
  const answer = async (id: string): Promise<void> => {
    const problem = await checkpoint().then(
      () => null,
      (error: unknown) => sentenceOf(error),
    );
    // Closing is a checkpoint too; the requester sees the lock come free.
    if (ended) return;
    const message: CheckpointAnswer = { id, problem };
    await writeWhole(fileSystem, checkpointAnswer, id, message);
  };
  const unwatch = watchRequests(fileSystem, checkpointRequest, 'checkpoint', log, ({ id }) => {
    answer(id).catch((error: unknown) => {
      log.warn({ error: sentenceOf(error) }, 'A checkpoint request could not be answered');
    });
  });
  return () => {
    ended = true;
    unwatch();
  };
}
