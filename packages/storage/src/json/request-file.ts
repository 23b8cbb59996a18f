//   requester: writes the file ── waits for what it asked for ── withdraws it
//   holder of the lock: sees it (watch, and a poll that backs it), once
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { dirname } from 'node:path';
import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { type FileSystem, isFileError } from './file-system.ts';
import {
  PRIVATE_DIRECTORY,
  readWhole,
  removeIfPresent,
  storageError,
  writeSynced,
} from './whole-file.ts';

const POLL_INTERVAL_MS = 250;
/** How long a request stands when its requester says nothing else. */
const REQUEST_LIFE_MS = 60_000;

/** A request to the holder of a store's lock. */
export interface HolderRequest {
  readonly id: string;
  readonly pid: number;
  readonly processName: string;
  readonly host: string;
  /** ISO instant after which the request does not count: its requester gave up or died. */
  readonly until: string;
  /** How long it stands: a holder that saw it come knows its age by its own clock. */
  readonly lifeMs?: number;
  /** What exactly is asked for, as JSON. */
  readonly payload?: unknown;
}

export interface Requester {
  readonly pid: number;
  readonly processName: string;
  /** How long the request stands unless it is withdrawn; 60 s if not given. */
  readonly lifeMs?: number;
  readonly payload?: unknown;
}

/** Takes a request back; also called once it was answered. Idempotent. */
export type Withdraw = () => Promise<void>;

/**
 * Puts a request into a file; the last one that was put there stands.
 * @throws {TandemError} `storage-full`, `storage-failed`
 */
export async function placeRequest(
  fileSystem: FileSystem,
  path: string,
  { pid, processName, lifeMs = REQUEST_LIFE_MS, payload }: Requester,
): Promise<{ readonly id: string; readonly withdraw: Withdraw }> {
  const id = randomUUID();
  const until = new Date(Date.now() + lifeMs).toISOString();
  const request: HolderRequest = { id, pid, processName, host: hostname(), until, lifeMs, payload };
  await writeWhole(fileSystem, path, id, request);
  const withdraw = async () => {
    const standing = await readMessage<HolderRequest>(fileSystem, path);
    if (standing?.id === id) await removeIfPresent(fileSystem, path);
  };
  return { id, withdraw };
}

/**
 * Writes a message so that a reader sees the whole of it; `id` keeps two writers apart.
 * @throws {TandemError} `storage-full`, `storage-failed`: then nothing is left of it
 */
export async function writeWhole(
  fileSystem: FileSystem,
  path: string,
  id: string,
  message: unknown,
): Promise<void> {
  const draft = `${path}.${id}`;
  try {
    await fileSystem.mkdir(dirname(path), PRIVATE_DIRECTORY);
    await writeSynced(fileSystem, draft, Buffer.from(JSON.stringify(message)));
    await fileSystem.rename(draft, path);
  } catch (error) {
    // Should this fail too, the first error says more.
    await removeIfPresent(fileSystem, draft).catch(() => {});
    throw storageError(`writing ${path}`, error);
  }
}

/** The message in a file; `undefined` when there is none, or nothing that can be read. */
export async function readMessage<T>(fileSystem: FileSystem, path: string): Promise<T | undefined> {
  const bytes = await readWhole(fileSystem, path);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/**
 * Whether somebody still waits for the answer.
 * @param ageMaxMs as far as the holder knows: its clock and the requester's may differ by more than a request
 *   stands
 */
function isAlive({ pid, host, until, lifeMs = 0 }: HolderRequest, ageMaxMs: number): boolean {
  if (Date.parse(until) < Date.now() && ageMaxMs >= lifeMs) return false;
  // A process id means nothing on another machine or in another container.
  if (host !== hostname() || pid === process.pid) return true;
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return isFileError(error, 'EPERM');
  }
}

/**
 * Watches a file for requests while the lock is held.
 * @param what names the requests in a log line
 * @param onRequest called once for each request
 * @returns ends the watch
 */
export function watchRequests(
  fileSystem: FileSystem,
  path: string,
  what: string,
  log: Log,
  onRequest: (request: HolderRequest) => void,
): () => void {
  let seen: string | undefined;
  /** What the last look found, and when it began: another one was put there since. */
  let last: { readonly id: string | undefined; readonly ms: number } | undefined;
  let looking = false;
  let ended = false;
  let unwatch: (() => void) | undefined;
  const look = async (): Promise<void> => {
    if (looking || ended) return;
    looking = true;
    try {
      const ms = performance.now();
      const request = await readMessage<HolderRequest>(fileSystem, path);
      const isNew = last !== undefined && last.id !== request?.id;
      const ageMaxMs = isNew ? performance.now() - (last?.ms ?? 0) : Number.POSITIVE_INFINITY;
      last = { id: request?.id, ms };
      if (request === undefined || request.id === seen || ended) return;
      if (!isAlive(request, ageMaxMs)) return;
      seen = request.id;
      onRequest(request);
    } catch (error) {
      log.warn({ error: sentenceOf(error) }, `Could not look for a ${what} request`);
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), POLL_INTERVAL_MS);
  timer.unref();
  try {
    unwatch = fileSystem.watch(dirname(path), () => void look());
  } catch (error) {
    log.debug({ error: sentenceOf(error) }, `${what} requests are polled for, not watched`);
  }
  void look();
  return () => {
    ended = true;
    clearInterval(timer);
    unwatch?.();
  };
}
