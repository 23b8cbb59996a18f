// npm run drill:phases [-- --records 100000 --rate 500 --clients 32]
//
// The whole way, json-primary → … → postgres-only and back to json-only, by flags alone, while clients
// create, change, delete and read at a fixed rate. Prints what was answered, the longest stall a client
// saw during each move, and compares both stores afterwards.
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startEmbeddedPostgres } from '@tandem/embedded-postgres';
import pg from 'pg';
import { root } from '../root.ts';

const READY_TIMEOUT_MS = 120_000;
const MOVE_TIMEOUT_MS = 180_000;
const SETTLED_MS = 2_000;
/** What to see of the log: what went wrong, and the parts of a pause. */
const TELLING = /WARN|ERROR|taken over in|writes waited|the drain took/;

const { values } = parseArgs({
  options: {
    records: { type: 'string', default: '100000' },
    rate: { type: 'string', default: '500' },
    clients: { type: 'string', default: '32' },
  },
});
const RECORDS = Number(values.records);
const RATE = Number(values.rate);
const CLIENTS = Number(values.clients);

const WAY = [
  'postgres-primary',
  'postgres-only',
  'postgres-primary',
  'json-primary',
  'json-only',
  'json-primary',
] as const;
const FLAGS: Readonly<Record<string, readonly [boolean, boolean]>> = {
  'json-only': [false, false],
  'json-primary': [false, true],
  'postgres-primary': [true, true],
  'postgres-only': [true, false],
};

interface Move {
  readonly to: string;
  readonly startedMs: number;
  reachedMs: number;
  stallMs: number;
}

const home = mkdtempSync(join(tmpdir(), 'tandem-drill-'));
const jsonDir = join(home, 'data', 'json');

function writeRecords(): void {
  mkdirSync(jsonDir, { recursive: true });
  const lines = Array.from({ length: RECORDS }, (_, index) => {
    const day = String((index % 28) + 1).padStart(2, '0');
    return `{"date":"2025-10-${day}","business":"shop ${index % 97}","category":"Food","amount":${(index % 9_000) / 100},"account":"Cash","currency":"₪","notes":"record ${index}","id":${index + 1}}`;
  });
  writeFileSync(join(jsonDir, 'expenses.json'), `[\n${lines.join(',\n')}\n]\n`);
}

async function until(
  what: string,
  timeoutMs: number,
  holds: () => Promise<boolean>,
): Promise<void> {
  const deadlineMs = performance.now() + timeoutMs;
  while (!(await holds())) {
    if (performance.now() > deadlineMs)
      throw new Error(`${what} took longer than ${timeoutMs} ms.`);
    await sleep(20);
  }
}

writeRecords();
const server = await startEmbeddedPostgres({ folder: join(home, 'postgres') });
const tandem = spawn(process.execPath, ['scripts/start.ts'], {
  cwd: root,
  stdio: ['ignore', 'pipe', 'inherit'],
  env: {
    ...process.env,
    DATA_DIR: join(home, 'data'),
    DATABASE_URL: server.url,
    PORT: '0',
    WORKER_PORT: '0',
  },
});
let output = '';
tandem.stdout.setEncoding('utf8').on('data', (text: string) => {
  output += text;
  for (const line of text.split('\n')) if (TELLING.test(line)) console.log(line);
});
const ended = new Promise<number | null>((settle) => tandem.once('exit', (code) => settle(code)));
process.once('uncaughtException', async (error) => {
  console.error(error);
  tandem.kill('SIGINT');
  await ended;
  await server.stop();
  rmSync(home, { recursive: true, force: true });
  process.exit(1);
});
await until('The start', READY_TIMEOUT_MS, async () => output.includes('Tandem is ready.'));
const origin = /API +(http:\/\/[^/]+)/.exec(output)?.[1] as string;
const database = new pg.Pool({ connectionString: server.url, max: 2 });
database.on('error', () => {});
await until('The backfill', MOVE_TIMEOUT_MS, async () => {
  const { rows } = await database.query('SELECT count(*)::int AS n FROM expenses');
  return rows[0].n >= RECORDS;
});
console.log(`${RECORDS} records in both stores; ${CLIENTS} clients, ${RATE} requests/s.`);

const answers = new Map<number, number>();
const acknowledged = new Map<number, string | null>();
const idsGiven = new Set<number>();
let repeatedIds = 0;
let requests = 0;
let stopping = false;
let move: Move | undefined;

async function ask(method: string, path: string, body?: object): Promise<unknown> {
  const startedMs = performance.now();
  requests += 1;
  let status = 0;
  try {
    const answer = await fetch(`${origin}/api/v1/expense${path}`, {
      method,
      ...(body === undefined
        ? {}
        : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    status = answer.status;
    return await answer.json();
  } finally {
    answers.set(status, (answers.get(status) ?? 0) + 1);
    if (move !== undefined) move.stallMs = Math.max(move.stallMs, performance.now() - startedMs);
  }
}

async function client(number: number): Promise<void> {
  const intervalMs = (1_000 * CLIENTS) / RATE;
  let own: number[] = [];
  for (let n = 0, dueMs = performance.now(); !stopping; n += 1, dueMs += intervalMs) {
    await sleep(Math.max(0, dueMs - performance.now()));
    const id = own[n % Math.max(1, own.length)];
    if (n % 4 === 1 && id !== undefined) {
      const notes = `changed ${number}-${n}`;
      await ask('PATCH', `/${id}`, { field: 'notes', value: notes });
      acknowledged.set(id, notes);
    } else if (n % 4 === 2 && id !== undefined) {
      await ask('GET', `/${id}`);
    } else if (n % 8 === 3 && id !== undefined) {
      await ask('DELETE', `/${id}`);
      acknowledged.set(id, null);
      own = own.filter((one) => one !== id);
    } else {
      const notes = `${number}-${n}`;
      const sent = {
        date: '2025-11-23',
        category: 'Food',
        account: 'Cash',
        amount: n / 100,
        notes,
      };
      const { expense } = (await ask('POST', '', sent)) as { expense: { id: number } };
      if (idsGiven.has(expense.id)) repeatedIds += 1;
      idsGiven.add(expense.id);
      acknowledged.set(expense.id, notes);
      own.push(expense.id);
    }
  }
}

async function moveTo(to: string): Promise<Move> {
  const [useDatabase, dualWrite] = FLAGS[to] as readonly [boolean, boolean];
  const moving: Move = { to, startedMs: performance.now(), reachedMs: 0, stallMs: 0 };
  move = moving;
  await database.query(
    `INSERT INTO feature_flags (name, enabled) VALUES ('USE_DATABASE_STORAGE', $1), ('DUAL_WRITE_ENABLED', $2)
     ON CONFLICT (name, user_id) DO UPDATE SET enabled = excluded.enabled`,
    [useDatabase, dualWrite],
  );
  await until(`The move to ${to}`, MOVE_TIMEOUT_MS, async () => {
    const readiness = (await (await fetch(`${origin}/readyz`)).json()) as {
      phase: { effective: string; desired: string };
    };
    return readiness.phase.effective === to && readiness.phase.desired === to;
  });
  moving.reachedMs = performance.now();
  await sleep(SETTLED_MS);
  move = undefined;
  return moving;
}

const clients = Array.from({ length: CLIENTS }, (_, number) => client(number));
await sleep(SETTLED_MS);
for (const to of WAY) {
  const { startedMs, reachedMs, stallMs } = await moveTo(to);
  const took = ((reachedMs - startedMs) / 1_000).toFixed(1);
  console.log(
    `→ ${to.padEnd(16)} after ${took.padStart(5)} s, longest request ${stallMs.toFixed(0)} ms`,
  );
}
stopping = true;
await Promise.all(clients);
tandem.kill('SIGINT');
const exitCode = await ended;

const file: { id: number }[] = JSON.parse(readFileSync(join(jsonDir, 'expenses.json'), 'utf8'));
const { rows } = await database.query(
  `SELECT id, to_char(date, 'YYYY-MM-DD') AS date, business, category, amount::float8 AS amount,
     account, currency, notes FROM expenses ORDER BY id`,
);
const textOf = (record: Record<string, unknown>): string =>
  JSON.stringify(Object.entries(record).sort(([a], [b]) => a.localeCompare(b)));
const inJson = new Map(file.map((record) => [record.id, record as Record<string, unknown>]));
let different = Math.abs(rows.length - file.length);
for (const row of rows) {
  const other = inJson.get(row.id);
  if (other === undefined || textOf(other) !== textOf(row)) different += 1;
}
let missing = 0;
for (const [id, notes] of acknowledged) {
  const stored = inJson.get(id)?.notes ?? null;
  if (stored !== notes) missing += 1;
}
const told = [...answers].map(([status, count]) => `${status}: ${count}`).join(', ');
console.log(`${requests} requests, answers ${told}; exit status ${exitCode}`);
console.log(
  `${file.length} records; ${different} differ between the stores, ${missing} acknowledged writes missing, ${repeatedIds} ids given twice`,
);
await database.end();
await server.stop();
rmSync(home, { recursive: true, force: true });
const onlyOk = [...answers.keys()].every((status) => status === 200);
process.exitCode = onlyOk && different + missing + repeatedIds === 0 && exitCode === 0 ? 0 : 1;
