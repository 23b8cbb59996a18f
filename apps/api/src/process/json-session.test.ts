import { randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { CatchUpWatch } from '@tandem/storage/consistency';
import { silentLog } from '@tandem/storage/log';
import { noObserver } from '@tandem/storage/observer';
import { mend, mendAlone, pullBrake, RoutedStore } from '@tandem/storage/phase';
import { divergenceLedger, type PostgresStore } from '@tandem/storage/postgres';
import { readBacklog } from '@tandem/storage/replication';
import {
  changeOf,
  create,
  type DualStores,
  expense,
  expenseText,
  openDualStores,
  until,
} from '@tandem/storage/testing';
import { afterEach, beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import { JsonSession } from './json-session.ts';
import { UnansweredCommit } from './unanswered-commit.ts';

let dual: DualStores;
let session: JsonSession;
let after: JsonSession | undefined;
const known = { postgresProblem: null as string | null, disagreement: null as string | null };

let requests: RoutedStore;
let served: PostgresStore;

function newSession(): JsonSession {
  const { json, store: postgres, queues, collections } = dual;
  requests = new RoutedStore();
  served = postgres.fencedBy(async () => undefined);
  return new JsonSession({
    ...{ json, postgres, queues, collections, log: silentLog, observer: noObserver },
    ...{ requests, served },
    watch: new CatchUpWatch(silentLog),
    verifySchedule: { changedMs: null, fullMs: null },
    signal: new AbortController().signal,
    desiredBy: () => 'postgres-primary',
    othersServe: async () => false,
    onReunited: () => undefined,
    outside: async () => known,
  });
}

beforeEach(async () => {
  dual = await openDualStores('json-primary');
  session = newSession();
  await mend(session.context('test'), false);
});
afterEach(async () => {
  await after?.close(0);
  await dual.drop();
});

/** Asks for the step and gives what it waits for. */
const waitsFor = async () => (await session.step('postgres-primary', 'test'))?.waitingFor;
const sql = (text: string) => dual.pool.query(text);

/** Connections made from now on can, or can't, write. */
async function readOnly(on: boolean): Promise<void> {
  const name = new URL(dual.url).pathname.slice(1);
  await sql(
    `SET transaction_read_only = off; ALTER DATABASE "${name}" SET default_transaction_read_only = ${on}`,
  );
  const others = `SELECT pg_terminate_backend(pid) FROM pg_stat_activity
    WHERE datname = current_database() AND pid <> pg_backend_pid()`;
  await sql(others);
  await sql('SELECT pg_terminate_backend(pg_backend_pid())').catch(() => undefined);
  // Each is noticed by itself; until then the pool would give it out.
  await until('the pool has lost them', () => dual.pool.totalCount === 0);
}

test('I6: every gate holds the way to PostgreSQL with its sentence, and lets it go', async () => {
  const { json, store, pool } = dual;
  const made = await create(json, { notes: 'as it was' });
  await dual.replicated();

  known.postgresProblem = 'connection refused';
  expect(await waitsFor()).toMatch(
    /^PostgreSQL usable: connection refused \(needed: yes\), opens when/,
  );
  known.postgresProblem = null;

  known.disagreement = 'The environments disagree.';
  expect(await waitsFor()).toMatch(/^processes agree: The environments disagree\./);
  // Also a move that keeps the primary.
  expect(await session.step('json-only', 'test')).toEqual({ waitingFor: known.disagreement });
  known.disagreement = null;

  await json.phase.update({ catchUpSince: '2025-12-07T10:00:00.000Z' });
  expect(await waitsFor()).toMatch(/^backfill complete: under way since 2025-12-07T10:00:00\.000Z/);
  await json.phase.update({ catchUpSince: null });

  await readOnly(true);
  expect(await waitsFor()).toMatch(/^target writable: PostgreSQL is read-only \(needed: yes\)/);
  await readOnly(false);

  // Kept aside when the files are next brought up, and decided by an operator.
  const file = join(dual.directory, expense.file);
  await json.checkpoint();
  writeFileSync(file, readFileSync(file, 'utf8').replace('as it was', 'typed into the file'));
  await json.checkpoint();
  expect(await waitsFor()).toMatch(
    /^foreign edits: 1 \(needed: none\), opens when each is adopted/,
  );
  const [edit] = json.externalEdits();
  const decision = { actor: 'ann@here', reason: 'No.', act: 'reject' as const };
  await json.decideEdit({ ...decision, edit: edit?.name ?? '' });

  const unmappable = expenseText(7, 'x').replace(/"date":"[^"]+"/, '"date":"some day"');
  const stamp = { epoch: 2, version: 1 };
  await json.apply([{ kind: 'change', change: changeOf(7, stamp, null, unmappable) }]);
  expect(await waitsFor()).toMatch(/^mapping errors: 1 \(needed: none\), opens when each record/);
  await json.write({ command: { op: 'delete', collection: expense, id: 7 } });

  await dual.enqueue('postgres', [changeOf(8, stamp, null, unmappable)]);
  const worker = dual.work('postgres');
  // Asked before, the move might be over by then: the JSON store has no record 8 to be missed.
  await until('it is a dead letter', async () => (await readBacklog(pool)).deadLetters === 1);
  expect(await waitsFor()).toMatch(/^dead letters: 1 /);
  await worker.stop({ drainTimeoutMs: 0 });
  await sql(`DELETE FROM pgboss.job WHERE name LIKE '%-dead'`);

  const ledger = divergenceLedger(pool);
  const subject = { collection: 'expense', id: made.id };
  const difference = { class: 'divergent', kind: 'different', subject } as const;
  await ledger.report([difference], { foundBy: 'shadow-read', into: 'postgres' });
  expect(await waitsFor()).toMatch(/^divergences: 1 of expense \(allowed: 0\)/);
  const [entry] = await ledger.find({}, { limit: 1 });
  const ending = { resolution: 'accepted', by: 'ann@here', reason: 'Known.' } as const;
  await ledger.close([entry?.id ?? 0], ending);

  // Nothing has verified it yet; the driver compares everything itself before it seals.
  const verified = (await session.gates()).find(({ name }) => name === 'verified');
  expect(verified).toMatchObject({ open: false, value: 'never', byDriver: true });
  await sql(`UPDATE expenses SET notes = 'typed into psql' WHERE id = ${made.id}`);
  expect(await waitsFor()).toMatch(
    /postgres does not hold all that json holds: expense 1 \(conflict\)/,
  );
  expect(json.phase.read()).toMatchObject({ phase: 'json-primary', sealed: false });
  await sql(`UPDATE expenses SET notes = 'as it was' WHERE id = ${made.id}`);

  expect(await waitsFor()).toBeUndefined();
  expect(await store.phase.read()).toMatchObject({ phase: 'postgres-primary', epoch: 3 });
  // From the first moment on: what is read late is judged by its snapshot.
  expect(requests.standing.store).toBe(served);
});

test('I12: back after the brake, PostgreSQL has gone on without this store: that is what is waited for', async () => {
  const { json, store } = dual;
  await pullBrake(json, new Date(), silentLog);
  const braked = newSession();
  after = braked;
  braked.machine.brake();
  expect(await braked.step('json-only', 'test')).toMatchObject({
    waitingFor: expect.stringMatching(/^PostgreSQL to return/),
  });
  const move = { actor: 'test', reason: 'test', evidence: {} };
  expect(await store.phase.advance(2, { epoch: 9 }, move)).toBe(true);
  braked.follow();
  const asked = async () => {
    if (braked.relay?.status().lastError === undefined) return undefined;
    await mendAlone(braked.context('test'), false);
    return braked.step('json-only', 'test');
  };
  // The relay may be looking at both stores at this moment.
  const { waitingFor } = await until('it says why', () => asked().catch(() => undefined));
  expect(waitingFor).toMatch(
    /^both sides to be brought together after the brake: The emergency brake was pulled .* went on to epoch 9/,
  );
});

test('writes wait for the answer to a commit as long as for that to an earlier one, which came otherwise', async () => {
  const { json } = dual;
  const unanswered = new UnansweredCommit();
  const now = vi.spyOn(performance, 'now');
  onTestFinished(() => now.mockRestore());
  const told: string[] = [];
  /** Asked in vain at an instant. */
  const ask = (atMs: number) => {
    now.mockReturnValue(atMs);
    const asked = unanswered.ask(session, async (sentence) => void told.push(sentence));
    return expect(asked).rejects.toMatchObject({ code: 'unavailable' });
  };
  const open = (epoch: number) =>
    json.phase.update({ committing: { attempt: randomUUID(), epoch, phase: 'postgres-primary' } });
  // It does not hold the JSON store any more: nothing is asked.
  session.machine.end();
  await open(3);
  await ask(1_000);
  await json.phase.update({ committing: null });
  await open(4);
  await ask(60_000);
  await ask(69_000);
  expect(told).toEqual([]);
  await ask(71_000);
  expect(told).toHaveLength(1);
});
