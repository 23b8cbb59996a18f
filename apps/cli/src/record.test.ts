import { chainOf, create, type DualStores, openDualStores } from '@tandem/storage/testing';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { run } from './run.ts';

let dual: DualStores;
beforeAll(async () => {
  dual = await openDualStores('json-primary');
});
afterAll(() => dual.drop());

async function tandem(args: readonly string[], more: Record<string, string> = {}) {
  const data: string[] = [];
  const said: string[] = [];
  const exitCode = await run(
    args,
    { DATABASE_URL: dual.url, JSON_DIR: dual.directory, ...more },
    { data: (text) => data.push(text), say: (text) => said.push(text) },
  );
  return { exitCode, data: data.join('\n'), said: said.join('\n') };
}

test('record shows both stores side by side, with a status that tells whether they agree', async () => {
  const { id } = await create(dual.json, { notes: 'one' });
  const name = ['record', 'expense', String(id)];
  const first = await tandem(name);
  expect(first.exitCode).toBe(1);
  expect(first.data).toMatch(/^expense \d+: A change of it is in the journal and not in the queue/);
  expect(first.data).toMatch(/ ≠ +\| notes +\| "one" +\| –$/m);
  await dual.replicated();
  const same = await tandem([...name, '--json']);
  expect(same.exitCode).toBe(0);
  expect(JSON.parse(same.data)).toMatchObject({ same: true, json: { stamp: { version: 1 } } });
  const away = await tandem(name, { DATABASE_URL: 'postgres://nobody@127.0.0.1:1/none' });
  expect(away.exitCode).toBe(75);
  expect(away.data).toMatch(/: PostgreSQL can’t be read; the JSON store alone is shown\./);
  expect((await tandem(['record', 'expense', '0'])).exitCode).toBe(2);
  const wrong = await tandem(['record', 'expanse', '1']);
  expect(wrong.exitCode).toBe(1);
  expect(wrong.said).toBe('There is no collection expanse; there are expense, income.');
});

test('a dead letter is shown with its record in both stores', async () => {
  await dual.bury('postgres', chainOf(77, 1));
  const list = JSON.parse((await tandem(['dead-letters', 'list', '--json'])).data);
  const { data } = await tandem(['dead-letters', 'show', list.letters[0].jobId]);
  expect(data).toMatch(/^Dead letter .*\nexpense 77: Neither store holds it\./s);
  expect(data).toMatch(/ \| postgres \| dead +\| create 1-1 \| 1 +\| no$/m);
});
