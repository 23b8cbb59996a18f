import { chainOf, type DualStores, openDualStores } from '@tandem/storage/testing';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { run } from './run.ts';

let dual: DualStores;
beforeAll(async () => {
  dual = await openDualStores('json-primary');
});
afterAll(() => dual.drop());
beforeEach(async () => {
  await dual.clear();
  await dual.pool.query(`
    TRUNCATE audit_log; ALTER TABLE expenses ADD CONSTRAINT poison CHECK (notes <> 'version 1')`);
  await dual.enqueue('postgres', [...chainOf(1, 1), ...chainOf(2, 1), ...chainOf(3, 1)]);
  await dual.work('postgres').stop({ drainTimeoutMs: 30_000 });
  await dual.pool.query('ALTER TABLE expenses DROP CONSTRAINT poison');
});

async function deadLetters(...args: string[]) {
  const data: string[] = [];
  const said: string[] = [];
  const exitCode = await run(
    ['dead-letters', ...args],
    { DATABASE_URL: dual.url, DATA_DIR: dual.directory },
    { data: (text) => data.push(text), say: (text) => said.push(text) },
  );
  return { exitCode, data: data.join('\n'), said: said.join('\n') };
}

const ids = async (): Promise<string[]> =>
  JSON.parse((await deadLetters('list', '--json')).data).letters.map(
    ({ jobId }: { jobId: string }) => jobId,
  );

test('list and show say what died, where it should have gone, and why', async () => {
  const list = await deadLetters('list');
  expect(list.exitCode).toBe(0);
  expect(list.data).toMatch(/\| postgres \| create expense 1 \(1-1\) \| rejected \| .*poison/);
  expect(list.data).toMatch(/\(3 dead letters\)$/);
  const all = await ids();
  const page = await deadLetters('list', '--limit', '2');
  expect(page.data).toMatch(/\(2 of 3 dead letters\)\nThe next page: --cursor [\w-]+$/);
  const cursor = page.data.split(' ').at(-1) ?? '';
  const next = JSON.parse((await deadLetters('list', '--json', '--cursor', cursor)).data);
  expect(next).toMatchObject({ total: 3, next: null, letters: [{ jobId: all[2] }] });
  const groups = await deadLetters('groups');
  expect(groups.data).toMatch(/ 3 \| [0-9a-f]{12} \| postgres \| rejected \| expense \| .*poison/);
  expect(groups.data).toMatch(/\(3 dead letters, 1 kind of failure\)$/);
  const [, fingerprint = ''] = / 3 \| ([0-9a-f]{12}) /.exec(groups.data) ?? [];
  const some = ['--fingerprint', fingerprint, '--record', '2', '--field', 'account=Cash'];
  const found = await deadLetters('list', '--contains', 'VERSION 1', ...some);
  expect(found.data).toMatch(/create expense 2 .*\(1 dead letter\)$/s);
  const shown = await deadLetters('show', all[1] ?? '');
  expect(shown.data).toMatch(/^Record +\{"date":"2025-12-07",.*"id":\d\}$/m);
  expect(shown.data).toMatch(/^Attempt +\d{4}-.*Z rejected: .*poison/m);
  const unknown = await deadLetters('show', crypto.randomUUID());
  expect(unknown).toMatchObject({ exitCode: 1, said: expect.stringContaining('There is no dead') });
});

test('I4: redrive brings them back, discard gives them up; both keep who and why', async () => {
  const [first = ''] = await ids();
  const dry = await deadLetters('redrive', '--all', '--reason', 'mended', '--dry-run');
  expect(dry.data).toMatch(/ 3 \| .*poison/);
  expect(dry.data).toMatch(/\n3 dead letters match; nothing was changed \(dry run\)\.$/);
  const wrong = await deadLetters('discard', '--all', '--reason', 'x', '--expect', '2');
  expect(wrong.exitCode).toBe(1);
  expect(wrong.said).toBe('3 dead letters match, 2 were expected; nothing was changed.');
  const one = await deadLetters('discard', first, '--reason', 'not wanted', '--json');
  expect(JSON.parse(one.data)).toMatchObject({ matched: 1, changed: 1, skipped: 0 });
  const rest = await deadLetters(
    'redrive',
    '--cause',
    'rejected',
    '--to',
    'postgres',
    '--reason',
    'ok',
  );
  expect(rest.data).toBe('2 dead letters match; 2 put back into the queue.');
  await dual.work('postgres').stop({ drainTimeoutMs: 30_000 });
  const { rows } = await dual.pool.query('SELECT count(*)::int AS held FROM expenses');
  expect(rows).toEqual([{ held: 2 }]);
  const audit = await dual.pool.query('SELECT action, reason, actor FROM audit_log ORDER BY id');
  expect(audit.rows).toEqual([
    { action: 'discard-dead-letters', reason: 'not wanted', actor: expect.stringContaining('@') },
    { action: 'redrive-dead-letters', reason: 'ok', actor: expect.stringContaining('@') },
  ]);
});

test('an act needs a reason, and either a filter or --all', async () => {
  expect((await deadLetters('discard', '--all')).exitCode).toBe(2);
  expect((await deadLetters('discard', '--reason', 'x')).exitCode).toBe(2);
  expect((await deadLetters('redrive', '--all', '--to', 'json', '--reason', 'x')).exitCode).toBe(2);
  expect((await deadLetters('redrive', '--older-than', 'ages', '--reason', 'x')).exitCode).toBe(2);
  expect((await deadLetters('redrive', 'not-an-id', '--reason', 'x')).exitCode).toBe(1);
  const young = await deadLetters('discard', '--older-than', '1h', '--reason', 'x');
  expect(young.data).toMatch(/^0 dead letters match; 0 /);
  expect(await ids()).toHaveLength(3);
});
