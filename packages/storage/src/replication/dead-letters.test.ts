import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import {
  chainOf,
  createReplicationFixture,
  type ReplicationFixture,
} from '../testing/replication-fixture.ts';
import { changeOf, expenseText, randomFrom, seedOf, shuffled } from '../testing/store-fixture.ts';
import type { DeadLetterFilter } from './dead-letter-filter.ts';
import { groupDeadLetters } from './dead-letter-groups.ts';
import { type DeadLetterList, pageDeadLetters, readDeadLetter } from './dead-letters.ts';

let fixture: ReplicationFixture;
beforeAll(async () => {
  fixture = await createReplicationFixture();
});
afterAll(() => fixture.drop());
beforeEach(() => fixture.clear());

const stamp = { epoch: 1, version: 1 };

test('pages give every letter of both directions once, the latest first, in any order of death', async () => {
  const seed = seedOf();
  const random = randomFrom(seed);
  const ids = Array.from({ length: 30 }, (_, index) => index + 1);
  for (const id of shuffled(ids, random)) {
    // Several die in one statement, at the same instant.
    const deaths = chainOf(id, 1 + Math.floor(random() * 4));
    await fixture.bury(random() < 0.5 ? 'postgres' : 'json', deaths);
  }
  const all = await pageDeadLetters(fixture.pool, {}, { limit: 1_000 });
  const seen: DeadLetterList['letters'][number][] = [];
  let cursor: string | null | undefined;
  while (cursor !== null) {
    const limit = 1 + Math.floor(random() * 7);
    const page: DeadLetterList = await pageDeadLetters(
      fixture.pool,
      {},
      {
        limit,
        ...(cursor === undefined ? {} : { cursor }),
      },
    );
    expect(page.total, `seed ${seed}`).toBe(all.total);
    seen.push(...page.letters);
    cursor = page.next;
  }
  expect(seen, `seed ${seed}`).toEqual(all.letters);
  expect(new Set(seen.map(({ jobId }) => jobId)).size).toBe(all.total);
  const instants = seen.map(({ since }) => since);
  expect(instants).toEqual(instants.toSorted().reverse());
  for (const wrong of ['', 'x', Buffer.from('now/1').toString('base64url')]) {
    const page = pageDeadLetters(fixture.pool, {}, { cursor: wrong });
    await expect(page).rejects.toMatchObject({ code: 'invalid' });
  }
});

test('a filter looks into the payload: a part of it, or a field, whatever it holds', async () => {
  const texts = [
    expenseText(1, 'Café “Ö”'),
    expenseText(2, 'a "quoted", {odd} \\ path'),
    expenseText(3, 'half \\ud800 and \\u0000', '"tag":1.0,'),
    expenseText(4, 'null'),
  ];
  await fixture.bury(
    'postgres',
    texts.map((text, index) => changeOf(index + 1, stamp, null, text)),
  );
  await fixture.bury('json', [changeOf(5, { epoch: 1, version: 2 }, stamp, null)]);
  const found = async (filter: DeadLetterFilter): Promise<unknown[]> => {
    const { letters } = await pageDeadLetters(fixture.pool, filter);
    const ids = letters.map(({ item }) => item?.kind === 'change' && item.change.id);
    return ids.sort();
  };
  const { notes } = JSON.parse(texts[1] ?? '');
  expect(await found({ contains: 'CAFé “' })).toEqual([1]);
  expect(await found({ contains: 'a "Quoted", {odd} \\ p' })).toEqual([2]);
  expect(await found({ contains: '%' })).toEqual([]);
  expect(await found({ field: { name: 'notes', value: notes } })).toEqual([2]);
  expect(await found({ field: { name: 'tag', value: '1.0' } })).toEqual([3]);
  expect(await found({ field: { name: 'notes', value: 'null' } })).toEqual([4]);
  expect(await found({ field: { name: 'amount', value: '12.50' } })).toEqual([1, 2, 3, 4]);
  expect(await found({ field: { name: 'id', value: '4' } })).toEqual([4]);
  expect(await found({ recordId: 5 })).toEqual([5]);
  expect(await found({ recordId: 5, direction: 'postgres' })).toEqual([]);
  expect(await found({ newerThan: new Date(Date.now() + 60_000) })).toEqual([]);
  expect(await found({ newerThan: new Date(Date.now() - 60_000), contains: 'odd' })).toEqual([2]);
});

test('groups count each kind of failure, with an example that can be asked for again', async () => {
  const violates = (name: string) => (change: { id: number }) => ({
    cause: 'rejected',
    error: `expense ${change.id} violates check constraint "${name}"`,
  });
  const chain = (from: number, count: number) =>
    Array.from({ length: count }, (_, index) => chainOf(from + index, 1)).flat();
  await fixture.bury('postgres', chain(1, 7), violates('a'));
  await fixture.bury('postgres', chain(11, 3), violates('b'));
  await fixture.bury('json', chain(21, 2), violates('a'));
  const { total, groupCount, groups } = await groupDeadLetters(fixture.pool, {});
  expect({ total, groupCount }).toEqual({ total: 12, groupCount: 3 });
  expect(groups).toMatchObject([
    { direction: 'postgres', count: 7, template: 'expense # violates check constraint "a"' },
    { direction: 'postgres', count: 3, template: 'expense # violates check constraint "b"' },
    { direction: 'json', count: 2, cause: 'rejected', collections: ['expense'] },
  ]);
  expect(groups[2]?.fingerprint).toBe(groups[0]?.fingerprint);
  const { example, fingerprint = '' } = groups[1] ?? {};
  expect(await readDeadLetter(fixture.pool, example?.jobId ?? '')).toEqual(example);
  expect(example).toMatchObject({ failures: 1, redriven: 0, attempts: [{ cause: 'rejected' }] });
  expect(await pageDeadLetters(fixture.pool, { fingerprint })).toMatchObject({ total: 3 });
  expect((await groupDeadLetters(fixture.pool, {}, 1)).groups).toHaveLength(1);
});

test('a page of very many letters is found by its position, and counting reads an index', async () => {
  await fixture.bury('postgres', chainOf(1, 1));
  await fixture.pool.query(`
    INSERT INTO pgboss.job (name, data, source_name, source_output, created_on)
    SELECT name, data, source_name, source_output, created_on - n / 100 * interval '1 second'
    FROM pgboss.job, generate_series(1, 5000) AS n WHERE name LIKE '%-dead'`);
  // VACUUM, and not ANALYZE alone: only then an index answers by itself.
  await fixture.pool.query('VACUUM ANALYZE pgboss.job');
  const plans: string[] = [];
  const explained = {
    async query(text: string, values: unknown[]) {
      const plan = await fixture.pool.query<{ 'QUERY PLAN': string }>(`EXPLAIN ${text}`, values);
      plans.push(plan.rows.map((row) => row['QUERY PLAN']).join('\n'));
      return fixture.pool.query(text, values);
    },
  } as unknown as typeof fixture.pool;
  const { next, total } = await pageDeadLetters(explained, { direction: 'postgres' });
  await pageDeadLetters(explained, { direction: 'postgres' }, { cursor: next ?? '' });
  expect(total).toBe(5_001);
  const [first, count, second] = plans;
  for (const page of [first, second]) {
    expect(page).toContain('Index Scan Backward using job_common_i15');
    expect(page).toContain('Presorted Key: job.created_on');
  }
  expect(second).toMatch(/Index Cond: .*created_on <= /);
  expect(count).toContain('Index Only Scan using job_common_i14');
});
