//   difference (serving) ─▶ rounds (serving) ─▶ hold writes, seal ─▶ last round ─▶ compare
//        ─▶ hold reads, committing mark ─▶ COMMIT epoch + 1 ─▶ told ─▶ serve PostgreSQL
//   anything before the mark: lift the seal, serve JSON. After it: only PostgreSQL's answer counts.

import { randomUUID } from 'node:crypto';
import { compareStamps, type Item } from '../changes/index.ts';
import { TandemError } from '../errors.ts';
import type { Outbox } from '../replication/index.ts';
import { failpoint } from './failpoint.ts';
import { closedGates, gatesOf } from './gates.ts';
import { beginPause, catchUpLive, type LiveContext, type Pause } from './live-context.ts';
import type { RoutedStore } from './routed-store.ts';
import { commitTowardsPostgres, type Refusal } from './steps.ts';

const ROUND_ITEMS = 1_000;
/** A round that leaves no more than this is short enough for the pause. */
const LAST_ROUND_ITEMS_MAX = 200;
const ROUNDS_MAX = 50;
/**
 * How long reads wait for the answer to the commit; it takes milliseconds. Then they go on from JSON,
 * which has every write that this process acknowledged: no client of its own reads anything stale.
 */
const READS_HELD_MS = 500;

/** What the driver in the api process adds: it has the journal and the requests. */
export interface PromoteContext extends LiveContext {
  readonly outbox: Outbox;
  readonly requests: RoutedStore;
  /** Stops relaying: from the commit on the journal holds nothing that is not in PostgreSQL. */
  readonly stopRelay: () => Promise<void>;
}

/** Ids whose changes were carried over, by collection. */
type Touched = Map<string, Set<number>>;

/**
 * 3 → 4 while requests come in. Writes wait from the seal to the commit; reads go on until the commit
 * is sent.
 * @returns why it was not done; `undefined` when PostgreSQL is the primary
 * @throws {TandemError} when the pause took too long or a store failed; everything is as before,
 *   unless the answer to the commit is still unknown: then the `committing` mark stands
 */
export async function promotePostgres(context: PromoteContext): Promise<Refusal | undefined> {
  const { json, postgres, outbox, log } = context;
  const closed = closedGates(gatesOf(await context.facts()));
  if (closed !== undefined) return { waitingFor: closed };
  const touched: Touched = new Map();
  // Everything after this position is carried over; everything before it is in the difference.
  let covered = outbox.head();
  await failpoint('promote.before-difference');
  const incomplete = await catchUpLive(context, json, postgres);
  if (incomplete !== undefined) return { waitingFor: incomplete };
  for (
    let round = 0;
    outbox.head() - covered > LAST_ROUND_ITEMS_MAX && round < ROUNDS_MAX;
    round += 1
  ) {
    covered = await carryOver(context, covered, touched);
  }
  await failpoint('promote.before-seal');
  const pause = beginPause(context);
  try {
    await commit(context, covered, touched, pause);
  } catch (error) {
    await undo(context);
    throw error;
  }
  log.info(
    { pauseMs: pause.elapsedMs() },
    `Phase: PostgreSQL is primary; writes waited ${pause.elapsedMs()} ms.`,
  );
  return undefined;
}

async function commit(
  context: PromoteContext,
  from: number,
  touched: Touched,
  pause: Pause,
): Promise<void> {
  const { json, postgres, requests, queues } = context;
  const { epoch } = json.phase.read();
  requests.hold('writes');
  await pause.wait(json.phase.update({ sealed: true }));
  await pause.wait(failpoint('promote.sealed'));
  await pause.wait(carryOver(context, from, touched));
  await pause.wait(compareTouched(context, touched));
  await pause.wait(json.idHighWater().then((marks) => postgres.raiseIdHighWater(marks)));
  await pause.wait(failpoint('promote.carried-over'));
  const next = { epoch: epoch + 1, phase: 'postgres-primary' as const };
  const attempt = randomUUID();
  await json.phase.update({ committing: { attempt, ...next } });
  await failpoint('promote.committing-marked');
  requests.hold('all');
  const evidence = { carriedOver: touchedCount(touched), pauseMs: pause.elapsedMs() };
  const readsGoOn = setTimeout(() => requests.hold('writes'), READS_HELD_MS);
  try {
    await commitTowardsPostgres(context, epoch, { ...next, attempt, catchUpSince: null }, evidence);
  } finally {
    clearTimeout(readsGoOn);
  }
  requests.hold('all');
  await failpoint('promote.committed');
  await json.phase.update({ ...next, sealed: false, committing: null, catchUpSince: null });
  await failpoint('promote.told');
  requests.serve(postgres);
  await failpoint('promote.released');
  await context.stopRelay();
  await queues.dropCovered('postgres');
}

/** Without the mark the seal is lifted; with it the keeper asks PostgreSQL until it knows. */
async function undo({ json, requests }: PromoteContext): Promise<void> {
  const { committing, phase } = json.phase.read();
  if (phase !== 'json-primary') return;
  if (committing !== null) {
    // Whether PostgreSQL is the primary is not known: nothing is written until it is.
    requests.hold('writes');
    return;
  }
  await json.phase.update({ sealed: false });
  requests.serve(json);
}

/** Applies everything after a position of the journal. @returns the position reached */
async function carryOver(
  { outbox, postgres }: PromoteContext,
  from: number,
  touched: Touched,
): Promise<number> {
  let covered = from;
  const head = outbox.head();
  while (covered < head) {
    const entries = await outbox.read(covered, ROUND_ITEMS);
    const items = entries.map(({ item }) => item);
    const results = await postgres.apply(items);
    for (const [index, item] of items.entries()) {
      note(touched, item);
      const verdict = results[index]?.verdict;
      if (verdict === 'apply' || verdict === 'no-op') continue;
      throw new TandemError('unavailable', `PostgreSQL did not take a change (${verdict}).`);
    }
    covered = entries.at(-1)?.seq ?? head;
  }
  return covered;
}

function note(touched: Touched, item: Item): void {
  if (item.kind !== 'change') return;
  const { collection, id } = item.change;
  const ids = touched.get(collection) ?? new Set();
  touched.set(collection, ids.add(id));
}

const touchedCount = (touched: Touched): number =>
  [...touched.values()].reduce((sum, ids) => sum + ids.size, 0);

const ENTRIES_AT_ONCE = 5_000;

/** The heads: of every record that changed since the difference, both sides say the same. */
async function compareTouched(context: PromoteContext, touched: Touched): Promise<void> {
  const { json, postgres, collections } = context;
  for (const collection of collections) {
    const ids = [...(touched.get(collection.name) ?? [])];
    for (let at = 0; at < ids.length; at += ENTRIES_AT_ONCE) {
      const some = ids.slice(at, at + ENTRIES_AT_ONCE);
      const ours = await json.entries(collection, some);
      const theirs = await postgres.entries(collection, some);
      const differs = ours.find((entry, index) => {
        const there = theirs[index];
        return (
          there === undefined || there.text !== entry.text || compareStamps(entry, there) !== 0
        );
      });
      if (differs === undefined && ours.length === theirs.length) continue;
      throw new TandemError(
        'unavailable',
        `${collection.name} ${differs?.id ?? ''} differs between the stores although it was carried over.`,
      );
    }
  }
}
