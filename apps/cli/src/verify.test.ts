import {
  create,
  type DualStores,
  expense,
  openDualStores,
  run as write,
} from '@tandem/storage/testing';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { run } from './run.ts';

let dual: DualStores;
beforeEach(async () => {
  dual = await openDualStores('json-primary');
});
afterEach(() => dual.drop());

/** Runs `tandem verify` beside the process that holds the JSON store. */
async function verify(...args: string[]) {
  const data: string[] = [];
  const said: string[] = [];
  const exitCode = await run(
    ['verify', ...args],
    { DATABASE_URL: dual.url, JSON_DIR: dual.directory, DATA_DIR: dual.directory },
    { data: (text) => data.push(text), say: (text) => said.push(text) },
  );
  return { exitCode, data: data.join('\n'), said: said.join('\n') };
}

test('equal stores: status 0, beside the holder of the JSON store', async () => {
  for (let n = 0; n < 5; n++) await create(dual.json);
  await write(dual.json, { op: 'delete', collection: expense, id: 2 });
  await dual.replicated();
  const { exitCode, data, said } = await verify();
  expect({ exitCode, said }).toEqual({ exitCode: 0, said: '' });
  expect(data).toMatch(
    /^Verify 1: Both stores say the same\.\n5 records and tombstones and 0 idem/,
  );
});

test('differences: status 1, each with both texts; nothing but the run was written', async () => {
  await create(dual.json, { notes: 'ours' });
  await create(dual.json);
  await dual.replicated();
  await dual.pool.query(`
    UPDATE expenses SET notes = 'theirs' WHERE id = 1; DELETE FROM expenses WHERE id = 2`);
  const asJson = await verify('--json');
  expect(asJson.exitCode).toBe(1);
  expect(JSON.parse(asJson.data)).toMatchObject({
    ...{ phase: 'json-primary', primary: 'json', outcome: 'differences' },
    counts: { conflict: 1, divergent: 1 },
    differences: [
      {
        ...{ class: 'conflict', subject: { collection: 'expense', id: 1 } },
        primary: { text: expect.stringContaining('"notes":"ours"') },
        secondary: { text: expect.stringContaining('"notes":"theirs"') },
      },
      { class: 'divergent', kind: 'missing', subject: { collection: 'expense', id: 2 } },
    ],
  });
  const asText = await verify();
  expect(asText.exitCode).toBe(1);
  expect(asText.data).toContain('Verify 2: The stores differ.');
  expect(asText.data).toMatch(/^ divergent \| missing +\| expense 2 \| 2-1 \{.*\} +\| –/m);
});

test('changes that do not arrive in time: status 75, try again', async () => {
  await create(dual.json);
  const { exitCode, data } = await verify('--patience', '0.2');
  expect(exitCode).toBe(75);
  expect(data).toContain('changes were still on their way: run it again.');
  expect((await verify('--patience', 'long')).exitCode).toBe(2);
});

test('I12: halves of two installations are not compared', async () => {
  await dual.pool.query(`UPDATE phase_state SET pair_id = 'another'`);
  const { exitCode, said } = await verify();
  expect(exitCode).toBe(1);
  expect(said).toMatch(/^The database belongs to the JSON store another, but JSON_DIR holds /);
});

test('the self-test plants six faults with each primary, finds exactly those, mends them, and leaves nothing', async () => {
  const { exitCode, data, said } = await verify('--self-test', '--json');
  expect(said).toBe('');
  expect({ exitCode, ...JSON.parse(data) }).toMatchObject({
    ...{ exitCode: 0, isPassed: true },
    rounds: ['json', 'postgres'].map((primary) => ({
      ...{ primary, missed: [], falseAlarms: [], repaired: 6, isClean: true },
      planted: expect.arrayContaining(['expense 11', 'expense 90002']),
    })),
  });
  const { rows } = await dual.pool.query(
    `SELECT nspname FROM pg_namespace WHERE nspname LIKE 'tandem_scratch%'`,
  );
  expect(rows).toEqual([]);
  expect((await dual.pool.query('SELECT FROM verify_runs')).rowCount).toBe(0);
});
