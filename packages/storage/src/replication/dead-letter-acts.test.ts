import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest';
import type { Change } from '../changes/index.ts';
import { auditLog } from '../postgres/index.ts';
import { recordingLog } from '../testing/recording-log.ts';
import {
  chainOf,
  createReplicationFixture,
  type ReplicationFixture,
} from '../testing/replication-fixture.ts';
import {
  allEntries,
  changeOf,
  expense,
  expenseText,
  randomFrom,
  seedOf,
  shuffled,
} from '../testing/store-fixture.ts';
import { readBacklog } from './backlog.ts';
import { deadLetter } from './claims.ts';
import { actOnDeadLetters, type DeadLetterActOptions } from './dead-letter-acts.ts';
import type { DeadLetterFilter } from './dead-letter-filter.ts';
import { listDeadLetters, pageDeadLetters } from './dead-letters.ts';
import { type DirectionWorker, startDirection } from './direction-worker.ts';
import { NEVER_FAILED, nextFailure } from './job-failure.ts';
import { QUEUES } from './job-sink.ts';
import { TakenJobs } from './taken-jobs.ts';

let fixture: ReplicationFixture;
const running: DirectionWorker[] = [];

beforeAll(async () => {
  fixture = await createReplicationFixture();
});
afterAll(() => fixture.drop());
beforeEach(async () => {
  await fixture.clear();
  await fixture.pool.query(
    'TRUNCATE audit_log; ALTER TABLE expenses DROP CONSTRAINT IF EXISTS poison',
  );
});
afterEach(async () => {
  await Promise.all(running.splice(0).map((worker) => worker.stop({ drainTimeoutMs: 0 })));
});

function work(): void {
  const { store, queues, collections } = fixture;
  const log = recordingLog();
  running.push(startDirection({ direction: 'postgres', store, queues, collections, log }));
}

const poison = (notes: string) =>
  fixture.pool.query(
    `ALTER TABLE expenses ADD CONSTRAINT poison CHECK (notes NOT LIKE '${notes}')`,
  );
const cure = () => fixture.pool.query('ALTER TABLE expenses DROP CONSTRAINT poison');

/** Dead letters of these changes, without a worker. */
const kill = (changes: readonly Change[]): Promise<void> => fixture.bury('postgres', changes);

const options = (more: Partial<DeadLetterActOptions> = {}): DeadLetterActOptions => ({
  ...{ pool: fixture.pool, audit: auditLog, actor: 'ann', reason: 'the cause is mended' },
  ...more,
});
const redrive = (filter: DeadLetterFilter, more?: Partial<DeadLetterActOptions>) =>
  actOnDeadLetters('redrive', filter, options(more));
const discard = (filter: DeadLetterFilter, more?: Partial<DeadLetterActOptions>) =>
  actOnDeadLetters('discard', filter, options(more));

async function auditRows(): Promise<
  { actor: string; action: string; reason: string; details: string }[]
> {
  const found = await fixture.pool.query(
    'SELECT actor, action, reason, details::text AS details FROM audit_log ORDER BY id',
  );
  return found.rows;
}

test('I4: redriving all that match brings the records to the secondary, exact', async () => {
  const extra = '"tag":1.0,"big":12345678901234567890,';
  const changes = Array.from({ length: 520 }, (_, index) =>
    changeOf(index + 1, { epoch: 1, version: 1 }, null, expenseText(index + 1, '₪ \\u0000', extra)),
  );
  await kill(changes);
  work();
  expect(await readBacklog(fixture.pool)).toMatchObject({ total: 0, deadLetters: 520 });
  const filter = { direction: 'postgres', cause: 'rejected' } as const;
  const result = await redrive(filter, { expectedCount: 520 });
  expect(result).toMatchObject({ remaining: 0, matched: 520, changed: 520, skipped: 0 });
  await fixture.drained('postgres');
  expect((await allEntries(fixture.store)).map(({ text }) => text)).toEqual(
    changes.map(({ record }) => record),
  );
  expect(await readBacklog(fixture.pool)).toMatchObject({ total: 0, deadLetters: 0 });
});

test('I4: stale, repeated and shuffled dead letters redriven do no harm', async () => {
  const seed = seedOf();
  const random = randomFrom(seed);
  const chains = Array.from({ length: 40 }, (_, index) =>
    chainOf(index + 1, 1 + Math.floor(random() * 5), random() < 0.3),
  );
  const old = chains.flat().filter(() => random() < 0.6);
  await poison('%');
  work();
  await fixture.enqueue(
    'postgres',
    shuffled([...old, ...old.filter(() => random() < 0.5)], random),
  );
  await fixture.drained('postgres');
  await cure();
  // The newest state of each record is there, or comes in between the redriven ones.
  await fixture.enqueue('postgres', chains.slice(0, 20).flat());
  const redriving = redrive({ direction: 'postgres' });
  await fixture.enqueue('postgres', chains.slice(20).flat());
  await redriving;
  await fixture.drained('postgres');
  await redrive({});
  await fixture.drained('postgres');
  expect(
    (await allEntries(fixture.store)).map(({ id, version, text }) => [id, version, text]),
    `seed ${seed}`,
  ).toEqual(chains.map((chain) => [chain[0]?.id, chain.at(-1)?.version, chain.at(-1)?.record]));
  expect(await listDeadLetters(fixture.pool, 'postgres')).toEqual([]);
});

test('a redriven job begins with a clean failure count, and dies again with its own cause', async () => {
  await poison('%');
  work();
  await fixture.enqueue('postgres', chainOf(1, 1));
  await fixture.drained('postgres');
  const [first] = await listDeadLetters(fixture.pool, 'postgres');
  expect(await redrive({})).toMatchObject({ matched: 1, changed: 1 });
  await fixture.drained('postgres');
  const [second] = await listDeadLetters(fixture.pool, 'postgres');
  expect(second).toMatchObject({ cause: 'rejected', failures: 1, item: first?.item });
  expect(second?.jobId).not.toBe(first?.jobId);
  // Both attempts are told, the one before the redrive too.
  expect(second).toMatchObject({
    redriven: 1,
    attempts: [first?.attempts[0], { cause: 'rejected' }],
  });
});

test('a filter names one, some, or all of a direction, collection, cause or age', async () => {
  await kill([...chainOf(1, 1), ...chainOf(2, 1), ...chainOf(3, 1)]);
  work();
  const boss = await fixture.queues.ready();
  await boss.insert(QUEUES.postgres, [{ data: { hello: 'world' } }]);
  await fixture.drained('postgres');
  const letters = await listDeadLetters(fixture.pool, 'postgres');
  expect(letters).toHaveLength(4);
  const count = async (filter: DeadLetterFilter) =>
    (await redrive(filter, { dryRun: true })).matched;
  const jobIds = letters.slice(0, 2).map(({ jobId }) => jobId);
  const early = new Date(Date.now() - 3_600_000);
  const late = new Date(Date.now() + 3_600_000);
  expect(await count({})).toBe(4);
  expect(await count({ jobIds })).toBe(2);
  expect(await count({ jobIds: [] })).toBe(0);
  expect(await count({ direction: 'json' })).toBe(0);
  expect(await count({ collection: 'expense' })).toBe(3);
  expect(await count({ collection: 'income' })).toBe(0);
  expect(await count({ cause: 'rejected' })).toBe(3);
  expect(await count({ cause: 'malformed', direction: 'postgres' })).toBe(1);
  expect(await count({ olderThan: early })).toBe(0);
  expect(await count({ olderThan: late, collection: 'expense' })).toBe(3);
  await expect(count({ jobIds: ["1' OR true"] })).rejects.toMatchObject({ code: 'invalid' });
  expect((await pageDeadLetters(fixture.pool, { jobIds })).letters).toHaveLength(2);
  expect(await redrive({ jobIds: jobIds.slice(0, 1) })).toMatchObject({
    ...{ matched: 1, changed: 1, skipped: 0 },
  });
});

test('a dry run and an unexpected count change nothing', async () => {
  await kill(chainOf(1, 1));
  const before = await listDeadLetters(fixture.pool, 'postgres');
  expect(await discard({}, { dryRun: true })).toMatchObject({
    ...{ matched: 1, changed: 0, skipped: 0 },
  });
  for (const act of [redrive, discard]) {
    await expect(act({}, { expectedCount: 2 })).rejects.toMatchObject({
      code: 'precondition-failed',
      message: '1 dead letters match, 2 were expected; nothing was changed.',
    });
  }
  expect(await listDeadLetters(fixture.pool, 'postgres')).toEqual(before);
  expect(await auditRows()).toEqual([]);
});

test('I4: what is discarded stays in the audit log, whole, with who and why', async () => {
  const [created] = chainOf(5, 1);
  if (created === undefined) throw new Error('There is no change.');
  work();
  await fixture.enqueue('postgres', [created]);
  await fixture.drained('postgres');
  const conflicting = { ...created, record: expenseText(5, 'theirs', '"n":1.50,') };
  await fixture.enqueue('postgres', [conflicting]);
  await fixture.drained('postgres');
  const result = await discard({ cause: 'conflict' }, { reason: 'ours is right' });
  expect(result).toMatchObject({ matched: 1, changed: 1, skipped: 0 });
  expect(await listDeadLetters(fixture.pool, 'postgres')).toEqual([]);
  expect(await fixture.store.get(expense, 5)).toMatchObject({ text: created.record });
  const [row, ...others] = await auditRows();
  expect(others).toEqual([]);
  expect(row).toMatchObject({
    actor: 'ann',
    action: 'discard-dead-letters',
    reason: 'ours is right',
  });
  const { letters, direction } = JSON.parse(row?.details ?? '{}');
  expect(direction).toBe('postgres');
  expect(letters[0]).toMatchObject({
    data: { change: conflicting },
    failure: { cause: 'conflict' },
  });
});

test('two who act at once act on each letter once', async () => {
  await kill(Array.from({ length: 520 }, (_, index) => chainOf(index + 1, 1)).flat());
  const [redriven, discarded] = await Promise.all([redrive({}), discard({}, { actor: 'bob' })]);
  work();
  await fixture.drained('postgres');
  expect(redriven.changed + discarded.changed).toBe(520);
  expect(redriven.changed + redriven.skipped).toBe(redriven.matched);
  expect(await allEntries(fixture.store)).toHaveLength(redriven.changed);
  const kept = (await auditRows()).flatMap(({ details }) => JSON.parse(details).letters);
  expect(new Set(kept.map(({ jobId }) => jobId)).size).toBe(520);
  expect(kept).toHaveLength(520);
});

test('I4: an act that is stopped has done whole batches, and the same act goes on with the rest', async () => {
  const ids = Array.from({ length: 1_200 }, (_, index) => index + 1);
  await kill(ids.flatMap((id) => chainOf(id, 1)));
  const limited = await discard({}, { limit: 400 });
  expect(limited).toMatchObject({ matched: 1_200, changed: 500, remaining: 700, skipped: 0 });
  // What dies after the act began was not meant by it.
  await kill(chainOf(5_000, 1));
  const olderThan = new Date(limited.asOf);
  const stop = new AbortController();
  const said: unknown[] = [];
  const stopped = await discard(
    { olderThan },
    {
      signal: stop.signal,
      onProgress: (progress) => {
        said.push(progress);
        stop.abort();
      },
    },
  );
  expect(stopped).toMatchObject({ matched: 700, changed: 500, remaining: 200, asOf: limited.asOf });
  expect(said).toEqual([{ done: 500, total: 700 }]);
  expect(await discard({ olderThan })).toMatchObject({ matched: 200, changed: 200, remaining: 0 });
  const kept = (await auditRows()).flatMap(({ details }) => JSON.parse(details).letters);
  expect(new Set(kept.map(({ data }) => data.change.id)).size).toBe(1_200);
  expect(await pageDeadLetters(fixture.pool, {})).toMatchObject({
    ...{ total: 1, letters: [{ item: { change: { id: 5_000 } } }] },
  });
});

test('I4: an act does not touch what was in hand when it began, and died meanwhile', async () => {
  await kill(chainOf(1, 1));
  await fixture.enqueue('postgres', chainOf(2, 1));
  const { pool } = fixture;
  const held = await TakenJobs.take(pool, QUEUES.postgres, 1);
  const problem = { cause: 'rejected', error: 'no' };
  const failure = nextFailure(NEVER_FAILED, problem, new Date().toISOString());
  const die = (): Promise<void> =>
    held.settle((client) =>
      deadLetter(
        client,
        QUEUES.postgres,
        held.jobs.map((claim) => ({ claim, failure })),
      ),
    );
  let dying: Promise<void> | undefined;
  const audit: DeadLetterActOptions['audit'] = {
    async record(client, entry) {
      dying ??= die();
      await dying;
      await auditLog.record(client, entry);
    },
  };
  const result = await discard({}, { expectedCount: 1, audit });
  expect(result).toMatchObject({ matched: 1, changed: 1, remaining: 0, skipped: 0 });
  expect(await listDeadLetters(pool, 'postgres')).toMatchObject([{ item: { change: { id: 2 } } }]);
});
