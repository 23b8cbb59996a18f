//   requester: handover/<what>-request ──> holder: does it ──> handover/<what>-answer
import { setTimeout as sleep } from 'node:timers/promises';
import { type ErrorCode, isTandemError, sentenceOf, TandemError } from '../errors.ts';
import type { Log } from '../log.ts';
import { type FileSystem, realFileSystem } from './file-system.ts';
import { layoutOf } from './layout.ts';
import { placeRequest, readMessage, watchRequests, writeWhole } from './request-file.ts';
import { type LockHolder, lockHolder } from './store-lock.ts';

const ANSWER_INTERVAL_MS = 50;

/** Something that the holder of a store does for others: what it is called, and the files it goes by. */
export interface Errand {
  readonly what: string;
  readonly request: string;
  readonly answer: string;
}

type Answer =
  | { readonly id: string; readonly result: unknown }
  | { readonly id: string; readonly problem: string; readonly code: ErrorCode };

/**
 * Asks whoever holds a store's lock.
 * @param deadlineMs of `performance.now()`
 * @returns the holder and its answer; `undefined` when nobody holds the lock, or not any more
 * @throws {TandemError} `unavailable` without an answer in time; whatever the holder's work threw
 */
async function askHolder<Result>(
  directory: string,
  errand: Errand,
  payload: unknown,
  deadlineMs: number,
): Promise<{ readonly holder: LockHolder; readonly result: Result } | undefined> {
  const fileSystem = realFileSystem;
  const layout = layoutOf(directory);
  let holder = await lockHolder(fileSystem, layout);
  if (holder === undefined) return undefined;
  const lifeMs = Math.max(0, deadlineMs - performance.now());
  const { id, withdraw } = await placeRequest(fileSystem, errand.request, {
    ...{ pid: process.pid, processName: errand.what, lifeMs, payload },
  });
  try {
    while (holder !== undefined) {
      const answer = await readMessage<Answer>(fileSystem, errand.answer);
      if (answer?.id === id) {
        if ('problem' in answer) throw new TandemError(answer.code, answer.problem);
        return { holder, result: answer.result as Result };
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
 * Answers such requests while the lock is held.
 * @param work is given the payload; what it resolves with is the answer
 * @returns ends it
 */
export function answerAsHolder(
  fileSystem: FileSystem,
  errand: Errand,
  log: Log,
  work: (payload: unknown) => Promise<unknown>,
): () => void {
  let ended = false;
  const answer = async (id: string, payload: unknown): Promise<void> => {
    const message: Answer = await work(payload).then(
      (result) => ({ id, result: result ?? null }),
      (error: unknown) => ({
        ...{ id, problem: sentenceOf(error) },
        code: isTandemError(error) ? error.code : 'storage-failed',
      }),
    );
    // The requester sees the lock come free.
    if (ended) return;
    await writeWhole(fileSystem, errand.answer, id, message);
  };
  const unwatch = watchRequests(fileSystem, errand.request, errand.what, log, (request) => {
    answer(request.id, request.payload).catch((error: unknown) => {
      log.warn({ error: sentenceOf(error) }, `A ${errand.what} request could not be answered`);
    });
  });
  return () => {
    ended = true;
    unwatch();
  };
}

/**
 * Lets the holder do something, or does it here when nobody holds the store.
 * @param here takes the lock itself; `lock-held` means that somebody was quicker
 * @returns the result, and the holder that did it, `null` when nobody held the store
 * @throws {TandemError} as `askHolder`, and whatever `here` throws
 */
export async function askOrDo<Result>(
  directory: string,
  errand: Errand,
  payload: unknown,
  { timeoutMs, here }: { readonly timeoutMs: number; readonly here: () => Promise<Result> },
): Promise<{ readonly holder: LockHolder | null; readonly result: Result }> {
  const deadlineMs = performance.now() + timeoutMs;
  for (;;) {
    const answered = await askHolder<Result>(directory, errand, payload, deadlineMs);
    if (answered !== undefined) return answered;
    try {
      return { holder: null, result: await here() };
    } catch (error) {
      // Somebody was quicker, or has not said yet who it is: that one is asked.
      if (!isTandemError(error, 'lock-held') || performance.now() > deadlineMs) throw error;
    }
  }
}
