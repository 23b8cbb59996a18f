//   requester: writes handover/request ── waits for the lock ── withdraws it
//   holder:    sees it ── drains, closes ── lock is free
import type { Log } from '../log.ts';
import { type FileSystem, realFileSystem } from './file-system.ts';
import { type Layout, layoutOf } from './layout.ts';
import {
  type HolderRequest,
  placeRequest,
  type Requester,
  type Withdraw,
  watchRequests,
} from './request-file.ts';

/** A request to the lock's holder to let go. */
export type HandoverRequest = HolderRequest;

/**
 * Asks the holder of a store's lock to let go of it. Works through the directory alone, so also while
 * PostgreSQL is down.
 */
export async function requestHandover(
  directory: string,
  requester: Requester,
  fileSystem: FileSystem = realFileSystem,
): Promise<Withdraw> {
  const { handoverRequest } = layoutOf(directory);
  const { withdraw } = await placeRequest(fileSystem, handoverRequest, requester);
  return withdraw;
}

/**
 * Watches for requests while the lock is held.
 * @param onRequest called once for each request
 * @returns ends the watch
 */
export const watchHandover = (
  fileSystem: FileSystem,
  layout: Layout,
  log: Log,
  onRequest: (request: HandoverRequest) => void,
): (() => void) => watchRequests(fileSystem, layout.handoverRequest, 'hand-over', log, onRequest);
