//   requester: writes handover/request ── waits for the lock ── withdraws it
//   holder:    sees it (watch, and a poll that backs it) ── drains, closes ── lock is free
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { type FileSystem, isFileError, realFileSystem } from './file-system.ts';
import { type Layout, layoutOf } from './layout.ts';
import { PRIVATE_DIRECTORY, readWhole, removeIfPresent, writeSynced } from './whole-file.ts';

const POLL_INTERVAL_MS = 250;
/** How long a request stands when its requester says nothing else. */
const REQUEST_LIFE_MS = 60_000;

/** A request to the lock's holder to let go. */
export interface HandoverRequest {
  readonly id: string;
  readonly pid: number;
  readonly processName: string;
  readonly host: string;
  /** ISO instant after which the request does not count: its requester gave up or died. */
  readonly until: string;
}

/** Takes a request back; also called once the lock is held. Idempotent. */
export type Withdraw = () => Promise<void>;

/**
 * Asks the holder of a store's lock to let go of it. Works through the directory alone, so also while
 * PostgreSQL is down.
 * @param requester.lifeMs how long the request stands unless it is withdrawn; 60 s if not given
 */
export async function requestHandover(
  directory: string,
  requester: { readonly pid: number; readonly processName: string; readonly lifeMs?: number },
  fileSystem: FileSystem = realFileSystem,
): Promise<Withdraw> {
  const layout = layoutOf(directory);
  const { pid, processName, lifeMs = REQUEST_LIFE_MS } = requester;
  const id = randomUUID();
  const until = new Date(Date.now() + lifeMs).toISOString();
  const request: HandoverRequest = { id, pid, processName, host: hostname(), until };
  await fileSystem.mkdir(layout.handover, PRIVATE_DIRECTORY);
  const draft = `${layout.handoverRequest}.${id}`;
  await writeSynced(fileSystem, draft, Buffer.from(JSON.stringify(request)));
  await fileSystem.rename(draft, layout.handoverRequest);
  return async () => {
    const standing = await readRequest(fileSystem, layout);
    if (standing?.id === id) await removeIfPresent(fileSystem, layout.handoverRequest);
  };
}

async function readRequest(
  fileSystem: FileSystem,
  layout: Layout,
): Promise<HandoverRequest | undefined> {
  const bytes = await readWhole(fileSystem, layout.handoverRequest);
  if (bytes === undefined) return undefined;
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Whether somebody still waits for the answer. */
function isAlive({ pid, host, until }: HandoverRequest, now: number): boolean {
  if (Date.parse(until) < now) return false;
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
 * Watches for requests while the lock is held.
 * @param onRequest called once for each request
 * @returns ends the watch
 */
export function watchHandover(
  fileSystem: FileSystem,
  layout: Layout,
  log: Log,
  onRequest: (request: HandoverRequest) => void,
): () => void {
  let seen: string | undefined;
  let looking = false;
  let ended = false;
  let unwatch: (() => void) | undefined;
  const look = async (): Promise<void> => {
    if (looking || ended) return;
    looking = true;
    try {
      const request = await readRequest(fileSystem, layout);
      if (request === undefined || request.id === seen || ended) return;
      if (!isAlive(request, Date.now())) return;
      seen = request.id;
      onRequest(request);
    } catch (error) {
      log.warn({ error: sentenceOf(error) }, 'Could not look for a hand-over request');
    } finally {
      looking = false;
    }
  };
  const timer = setInterval(() => void look(), POLL_INTERVAL_MS);
  timer.unref();
  try {
    unwatch = fileSystem.watch(layout.handover, () => void look());
  } catch (error) {
    log.debug({ error: sentenceOf(error) }, 'Hand-over requests are polled for, not watched');
  }
  void look();
  return () => {
    ended = true;
    clearInterval(timer);
    unwatch?.();
  };
}
