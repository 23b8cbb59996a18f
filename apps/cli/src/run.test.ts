import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import pg from 'pg';
import { afterAll, beforeAll, expect, inject, test } from 'vitest';
import { run } from './run.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'tandem-cli-'));
const name = `cli_${crypto.randomUUID().replaceAll('-', '')}`;
const url = new URL(inject('postgresUrl'));

async function administer(statement: string): Promise<void> {
  const client = new pg.Client({ connectionString: inject('postgresUrl') });
  await client.connect();
  await client.query(statement);
  await client.end();
}

beforeAll(async () => {
  await administer(`CREATE DATABASE ${name}`);
  url.pathname = `/${name}`;
});

afterAll(async () => {
  await administer(`DROP DATABASE ${name} WITH (FORCE)`);
  rmSync(dataDir, { recursive: true, force: true });
});

/** Runs a command as the shell would; gives what it printed on each stream. */
async function tandem(args: readonly string[], variables: Record<string, string> = {}) {
  const data: string[] = [];
  const said: string[] = [];
  const exitCode = await run(
    args,
    { DATA_DIR: dataDir, DATABASE_URL: url.href, ...variables },
    { data: (text) => data.push(text), say: (text) => said.push(text) },
  );
  return { exitCode, data: data.join('\n'), said: said.join('\n') };
}

/** Nothing listens on port 1. */
const UNREACHABLE = { DATABASE_URL: 'postgres://somebody:secret@127.0.0.1:1/nowhere' };

test('migrate is done once, and says so', async () => {
  const first = await tandem(['migrate', '--enable-dual-write-on-first-run']);
  expect(first).toMatchObject({ exitCode: 0, data: '' });
  expect(first.said).toMatch(/migrations? applied; the schema is current\.$/);
  expect(await tandem(['migrate'])).toEqual({
    exitCode: 0,
    data: '',
    said: 'The schema was current already.',
  });
  const flags = await tandem(['sql', 'SELECT name, enabled FROM feature_flags', '--json']);
  expect(JSON.parse(flags.data)).toEqual([{ name: 'DUAL_WRITE_ENABLED', enabled: true }]);
});

test('sql prints what PostgreSQL holds, exactly, in columns', async () => {
  const { exitCode, data } = await tandem([
    'sql',
    `CREATE TEMP TABLE sample (id int, amount numeric(10,2), note text);
     INSERT INTO sample VALUES (1, 150.50, '₪ weekly'), (12, -0.10, NULL), (3, 0, E'two\\nlines');
     SELECT * FROM sample ORDER BY id`,
  ]);
  expect(exitCode).toBe(0);
  expect(data.split('\n')).toEqual([
    'CREATE',
    'INSERT 3',
    ' id | amount | note',
    '----+--------+-----------',
    '  1 | 150.50 | ₪ weekly',
    '  3 |   0.00 | two␊lines',
    ' 12 |  -0.10 |',
    '(3 rows)',
  ]);
});

test('I8: sql --json keeps every digit, and every kind of value', async () => {
  const { data } = await tandem([
    'sql',
    `SELECT 12345678901234567890.10::numeric AS n, true AS b, NULL AS nothing, 'x"y' AS s,
            '{"a": [1.50]}'::json AS j, 'NaN'::float8 AS odd, 9007199254740993::int8 AS big`,
    '--json',
  ]);
  expect(data).toBe(
    '[{"n":12345678901234567890.10,"b":true,"nothing":null,"s":"x\\"y","j":{"a": [1.50]},"odd":"NaN","big":9007199254740993}]',
  );
});

test('a statement that PostgreSQL refuses is one sentence and status 1', async () => {
  const { exitCode, data, said } = await tandem(['sql', 'SELECT nothing FROM nowhere']);
  expect({ exitCode, data }).toEqual({ exitCode: 1, data: '' });
  expect(said).toBe('PostgreSQL refuses it: relation "nowhere" does not exist.');
});

test('status counts what waits, and names each flag’s source', async () => {
  const { exitCode, data } = await tandem(['status', '--json'], {
    FF_USE_DATABASE_STORAGE: 'off',
  });
  expect(exitCode).toBe(0);
  expect(JSON.parse(data)).toMatchObject({
    desired: 'json-primary',
    effective: 'json-only',
    backlog: 0,
    deadLetters: 0,
    flags: {
      USE_DATABASE_STORAGE: { value: false, source: 'environment' },
      DUAL_WRITE_ENABLED: { value: true, source: 'table' },
    },
    postgres: { reachable: true },
    queueAges: { 'write-to-postgres': null, 'write-to-json': null },
    metrics: ['http://127.0.0.1:8000/metrics', 'http://127.0.0.1:8001/metrics'],
    problems: [],
  });
  const { data: text } = await tandem(['status']);
  expect(text).toMatch(/^ write-to-json +\| +0 +\| +0 +\| +- +\| +0$/m);
  expect(text).toMatch(/^Metrics +http:/m);
});

test('status works with PostgreSQL down: what can not be known is null', async () => {
  const { exitCode, data, said } = await tandem(['status', '--json'], UNREACHABLE);
  expect({ exitCode, said }).toEqual({ exitCode: 0, said: '' });
  const status = JSON.parse(data);
  expect(status).toMatchObject({
    backlog: null,
    deadLetters: null,
    postgres: { reachable: false },
    problems: [expect.stringMatching(/^The database of DATABASE_URL can't be asked: /)],
  });
  expect(data).not.toContain('secret');
  const text = await tandem(['status'], UNREACHABLE);
  expect(text.data).toMatch(/^Backlog +unknown$/m);
});

test('a database that does not answer is one sentence and status 1', async () => {
  const { exitCode, said } = await tandem(['sql', 'SELECT 1'], UNREACHABLE);
  expect(exitCode).toBe(1);
  expect(said).toMatch(/^The database of DATABASE_URL does not answer: [^\n]+$/);
  expect(said).not.toContain('secret');
  const none = await tandem(['sql', 'SELECT 1'], { DATABASE_URL: '' });
  expect(none.exitCode).toBe(1);
  expect(none.said).toMatch(/^There is no database yet in .+; "npm start" makes one\.$/);
});

test('wrong usage is status 2, a wrong configuration 78, help 0', async () => {
  expect((await tandem(['statsu'])).exitCode).toBe(2);
  expect((await tandem([])).exitCode).toBe(2);
  expect((await tandem(['sql'])).exitCode).toBe(2);
  expect(await tandem(['status'], { PORT: 'x' })).toEqual({
    exitCode: 78,
    data: '',
    said: 'PORT is "x"; it must be a port from 0 to 65535.',
  });
  const help = await tandem(['--help']);
  expect(help.exitCode).toBe(0);
  expect(help.data).toContain('migrate');
});

test.each([
  [
    'an id that is no number',
    ['divergences', 'accept', '7', 'x', '--reason', 'r'],
    /'x' is invalid/,
  ],
  [
    'the same of two sides',
    ['divergences', 'resolve', 'x', '--keep', 'primary', '--reason', 'r'],
    /'x'/,
  ],
  ['a run of one collection', ['repair', 'expense', '--run', '3', '--reason', 'r'], /or a run/],
  ['a repair without a reason', ['repair', 'expense', '5', '--reason', ' '], /say why/],
  ['a decision without one', ['divergences', 'accept', '7', '--reason', ''], /say why/],
  ['a redrive without one', ['dead-letters', 'redrive', '--all', '--reason', ' '], /say why/],
])('%s is wrong usage, and is told so before anything is asked', async (_what, args, sentence) => {
  const { exitCode, said } = await tandem(args, UNREACHABLE);
  expect(exitCode).toBe(2);
  expect(said).toMatch(sentence);
});
