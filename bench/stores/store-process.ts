// A process with one open store, measured from outside: `node store-process.ts DIRECTORY [warm]`; warm,
// it follows the store before it opens it. It takes one request at a time, so that two of them can be measured in turns without sharing a heap.
import { monitorEventLoopDelay } from 'node:perf_hooks';
import { loadCollections } from '@tandem/storage/collections';
import { openJsonStore, WarmFollower } from '@tandem/storage/json';
import { runWriters, type Work } from '../loops/writers.ts';
import type { Written } from '../loops/written.ts';

/** What the process is asked to do. */
export type Request =
  | { readonly kind: 'write'; readonly writers: number; readonly work: Work; readonly ms: number }
  /** Writes for as long as a checkpoint takes. */
  | { readonly kind: 'write-and-checkpoint'; readonly writers: number; readonly work: Work }
  | { readonly kind: 'checkpoint' }
  | { readonly kind: 'close' };

/** What it answers. */
export interface Answer {
  readonly written?: Written;
  /** The event loop's longest delay while it wrote, in milliseconds. */
  readonly longestDelayMs?: number;
  readonly rssBytes: number;
  /** How long opening took; the first answer says it, before any request. */
  readonly openedMs?: number;
  /** The event loop's longest delay while it began to follow. */
  readonly followingDelayMs?: number;
}

const DELAY_RESOLUTION_MS = 1;
const NANOSECONDS_A_MS = 1e6;

const [, , directory, warmth] = process.argv;
if (directory === undefined || process.send === undefined) {
  throw new Error('This process is started by the bench.');
}
const send = (answer: Omit<Answer, 'rssBytes'>): void => {
  process.send?.({ ...answer, rssBytes: process.memoryUsage.rss() } satisfies Answer);
};

const collections = await loadCollections();
const expense = collections.find(({ name }) => name === 'expense');
if (expense === undefined) throw new Error('There is no collection expense.');
/** The first time it loads; a checkpoint file is hashed once it was seen twice. */
const FOLLOWS = 3;

async function followed(follower: WarmFollower): Promise<number> {
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  for (let n = 0; n < FOLLOWS; n++) await follower.follow();
  delay.disable();
  return delay.max / NANOSECONDS_A_MS;
}
const follower = warmth === 'warm' ? new WarmFollower({ directory, collections }) : undefined;
const followingDelayMs = follower && (await followed(follower));

const started = performance.now();
// Checkpoints only when the bench asks for one.
const never = {
  checkpointAfterBytes: Number.POSITIVE_INFINITY,
  journalBytesMax: Number.POSITIVE_INFINITY,
};
const store = await openJsonStore({ directory, collections, follower, ...never });
const openedMs = performance.now() - started;

async function answer(request: Request): Promise<Omit<Answer, 'rssBytes'>> {
  if (request.kind === 'checkpoint') {
    await store.checkpoint();
    return {};
  }
  if (request.kind === 'close') {
    await store.close();
    return {};
  }
  const delay = monitorEventLoopDelay({ resolution: DELAY_RESOLUTION_MS });
  delay.enable();
  const until = request.kind === 'write' ? { ms: request.ms } : { ended: store.checkpoint() };
  const written = await runWriters(store, expense as never, request.writers, request.work, until);
  delay.disable();
  return { written, longestDelayMs: delay.max / NANOSECONDS_A_MS };
}

process.on('message', (request: Request) => {
  void answer(request).then((done) => {
    send(done);
    if (request.kind === 'close') process.disconnect();
  });
});
// Whoever asked is gone: so is the use of this process.
process.on('disconnect', () => process.exit());
if (store.recoveryReport.warm !== (follower !== undefined))
  throw new Error('It did not open warm.');
send({ openedMs, ...(followingDelayMs === undefined ? {} : { followingDelayMs }) });
