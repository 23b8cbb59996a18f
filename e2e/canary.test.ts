// What must not be told is planted everywhere, and all that the system wrote is searched for it.
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@tandem/embedded-postgres';
import { expect, test } from 'vitest';
import { newDatabase } from './database.ts';
import { reached } from './phase-flags.ts';
import { query } from './record-client.ts';
import { environmentWith, startProcess, startTandem, temporaryFolder } from './tandem-process.ts';
import { startCollector } from './telemetry/collector.ts';

const WAIT = { timeout: 60_000, interval: 100 };
const role = `canary_${crypto.randomUUID().replaceAll('-', '')}`;

/** Opens doors. Nothing that is kept or written has one of them. */
const SECRETS = {
  clientToken: 'canary-client-token',
  guessedToken: 'canary-guessed-token',
  cookie: 'canary-cookie',
  password: 'canary-password',
};
/** Stands in records. Only what holds the data has it. */
const CONTENT = {
  date: 'canary-date',
  category: 'canary-category',
  account: 'canary-account',
  notes: 'canary-notes',
  poison: 'canary-poison',
  number: '77553311.57',
  cursor: 'canary-cursor',
  key: 'canary-key',
  reason: 'canary-malformed',
};

/** A database that is opened with a password of its own. */
async function databaseWithPassword(): Promise<{ url: string; admin: string }> {
  const admin = await newDatabase();
  await query(admin, `CREATE ROLE ${role} SUPERUSER LOGIN PASSWORD '${SECRETS.password}'`);
  const url = new URL(admin);
  url.username = role;
  url.password = SECRETS.password;
  return { url: url.href, admin };
}

/** Each canary that stands in a text, with what is around it. */
const found = (text: string, canaries: readonly string[]): string[] =>
  canaries.flatMap((canary) => {
    const at = text.indexOf(canary);
    return at === -1 ? [] : [`${canary}: …${text.slice(Math.max(0, at - 300), at + 100)}…`];
  });

test('no secret and nothing of a record stands in a log, an error, a metric, a trace or a state file', {
  timeout: 180_000,
}, async () => {
  const { url, admin } = await databaseWithPassword();
  const dataDir = temporaryFolder();
  const jsonDir = join(dataDir, 'json');
  mkdirSync(jsonDir);
  // What the legacy application let through: PostgreSQL can't hold it.
  const { date, category, account, notes, poison, number } = CONTENT;
  const legacy = [{ id: 1, date, category, amount: 5, account, currency: '₪', notes }];
  writeFileSync(join(jsonDir, 'expenses.json'), JSON.stringify(legacy));
  const collector = await startCollector();
  const workerPort = String(await freePort());
  const variables = {
    // As there are tokens, other machines may reach it.
    ...{
      HOST: '0.0.0.0',
      DATA_DIR: dataDir,
      DATABASE_URL: url,
      CLIENT_TOKENS: `write:${SECRETS.clientToken}`,
    },
    ...{ WORKER_PORT: workerPort, LOG_LEVEL: 'trace', LOG_FORMAT: 'json', SHADOW_READ_RATE: '1' },
    ...{ OTEL_EXPORTER_OTLP_ENDPOINT: collector.endpoint, OTEL_BSP_SCHEDULE_DELAY: '100' },
  };
  const tandem = startTandem(variables);
  await tandem.prints(/Tandem is ready/);
  const [, origin = ''] = /API +(http:\/\/[^/]+)/.exec(tandem.output()) ?? [];
  const operator = readFileSync(join(dataDir, 'operator-token'), 'utf8').trim();
  const told: string[] = [];
  const cli = async (...args: string[]) => {
    const command = startProcess(
      [process.execPath, 'apps/cli/src/main.ts', ...args],
      environmentWith(variables),
    );
    await command.ended;
    return command;
  };
  /** Sends a request; an error's answer is among what is searched. */
  const send = async (
    method: string,
    path: string,
    body?: string,
    headers: Record<string, string> = {},
  ) => {
    const answer = await fetch(`${origin}${path}`, {
      method,
      headers: {
        authorization: `Bearer ${SECRETS.clientToken}`,
        'content-type': 'application/json',
        ...headers,
      },
      ...(body === undefined ? {} : { body }),
    });
    const text = await answer.text();
    if (!answer.ok) told.push(`${answer.status} ${text} ${JSON.stringify([...answer.headers])}`);
    return { status: answer.status, text };
  };
  const record = (more: object) =>
    JSON.stringify({ date: '2025-12-07', category, amount: number, account, notes, ...more });
  const expense = '/api/v1/expense';

  await reached(origin, 'json-primary');
  // Whatever goes well …
  const headers = { 'idempotency-key': CONTENT.key };
  expect((await send('POST', expense, record({}), headers)).status).toBe(200);
  expect((await send('GET', `${expense}/2`)).status).toBe(200);
  // … whatever a client gets wrong …
  const malformed = `{"notes":"${notes}","${CONTENT.reason}":${CONTENT.reason}`;
  for (const [status, ...request] of [
    [422, 'POST', expense, record({ date })],
    [422, 'POST', expense, record({ notes: { notes }, category: [category], amount: account })],
    [400, 'POST', expense, malformed],
    [400, 'PATCH', `${expense}/2`, JSON.stringify({ field: notes, value: category })],
    [422, 'GET', `${expense}?limit=2&cursor=${CONTENT.cursor}`],
    [412, 'PUT', `${expense}/2`, record({}), { 'if-match': `"${notes}"` }],
    [422, 'POST', expense, record({ amount: 1 }), headers],
    [401, 'GET', expense, undefined, { authorization: `Bearer ${SECRETS.guessedToken}` }],
    [401, 'GET', '/api/v1/migration/phase', undefined, { authorization: SECRETS.guessedToken }],
  ] as const) {
    const [method, path, body, more] = request;
    const answer = await send(method, path, body, more);
    expect({ request, ...answer }).toMatchObject({ status });
  }
  const session = '/api/v1/migration/session';
  const forged = { cookie: `tandem_session=zzzzzz.${SECRETS.cookie}.signature` };
  expect((await fetch(`${origin}${session}`, { headers: forged })).status).toBe(401);
  const asOperator = { headers: { authorization: `Bearer ${operator}` } };
  const opened = await fetch(`${origin}${session}`, { method: 'POST', ...asOperator });
  const cookie = opened.headers.getSetCookie()[0]?.split(/[=;]/)[1] ?? '';
  expect(cookie.length).toBeGreaterThan(40);
  const token = (await cli('token', 'create', 'shop', '--scope', 'read')).output().slice(0, 54);
  expect(token).toMatch(/^tdmc_/);

  // … whatever PostgreSQL refuses …
  await query(admin, `ALTER TABLE expenses ADD CONSTRAINT no_canary CHECK (notes <> '${poison}')`);
  expect((await send('POST', expense, record({ notes: poison }))).status).toBe(200);
  await tandem.prints(/Dual-write failed for expense 3/, WAIT.timeout);
  // … connections that are cut, and an edit of one store that the comparison finds …
  await query(admin, `UPDATE expenses SET notes = 'canary-notes edited' WHERE id = 2`);
  await send('GET', `${expense}/2`);
  await query(
    admin,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = '${role}'`,
  );
  // What verify answers is the records; what it says besides is searched.
  const [status, verify, sql] = await Promise.all([
    cli('status', '--json'),
    cli('verify'),
    cli('sql', 'SELECT nothing FROM nowhere'),
  ]);
  told.push(status.output(), sql.output(), verify.errors());
  for (const port of [new URL(origin).port, workerPort]) {
    const metrics = await fetch(`http://127.0.0.1:${port}/metrics`, asOperator);
    expect(metrics.status).toBe(200);
    told.push(await metrics.text());
    expect((await fetch(`http://127.0.0.1:${port}/metrics`)).status).toBe(401);
  }
  expect(await tandem.interrupt()).toBe(0);
  const secrets = [...Object.values(SECRETS), operator, cookie, token];
  const written = [tandem.output(), ...told, collector.received()].join('\n');
  expect(written.length).toBeGreaterThan(10_000);
  expect(found(written, [...secrets, ...Object.values(CONTENT)])).toEqual([]);

  // State files and tables: no secret anywhere, and content in the data alone.
  const files = readdirSync(dataDir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name !== 'operator-token')
    .map((entry) => join(entry.parentPath, entry.name));
  expect(files.length).toBeGreaterThan(5);
  const kept = files.map((file) => `${file}\n${readFileSync(file, 'latin1')}`);
  const tables = await query(
    admin,
    `SELECT table_schema || '.' || quote_ident(table_name) AS name FROM information_schema.tables
     WHERE table_schema IN ('public', 'pgboss', 'tandem') AND table_type = 'BASE TABLE'`,
  );
  for (const { name } of tables) {
    const rows = await query(admin, `SELECT one::text AS text FROM ${name} one`);
    kept.push(`${name}\n${rows.map(({ text }) => text).join('\n')}`);
  }
  expect(found(kept.join('\n'), secrets)).toEqual([]);
});
