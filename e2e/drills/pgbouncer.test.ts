// PgBouncer in transaction mode between every process and PostgreSQL. npm run drill:pgbouncer; needs the
// `pgbouncer` program.
import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '@tandem/embedded-postgres';
import { until } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { moreWrites, startLoad } from '../load.ts';
import { reached, setFlags } from '../phase-flags.ts';
import { EXPENSE_ROWS, legacyFile, query } from '../record-client.ts';
import { newMigratedDatabase } from '../services.ts';
import { environmentWith, startProcess, startTandem, temporaryFolder } from '../tandem-process.ts';

const WRITERS = 8;
const WRITES_A_PHASE = 200;
/** Fewer than the clients of api and worker together: they must share. */
const SERVER_CONNECTIONS = 6;
/** It refuses to run as root. */
const NOBODY = 65_534;

async function startPgBouncer(behind: string): Promise<string> {
  const folder = join(temporaryFolder(), 'pgbouncer');
  mkdirSync(folder);
  chmodSync(join(folder, '..'), 0o755);
  const { hostname, port, username, password, pathname } = new URL(behind);
  const own = await freePort();
  writeFileSync(
    join(folder, 'pgbouncer.ini'),
    `[databases]
* = host=${hostname} port=${port} user=${username}${password && ` password=${password}`}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${own}
unix_socket_dir =
auth_type = any
pool_mode = transaction
default_pool_size = ${SERVER_CONNECTIONS}
max_client_conn = 200
`,
  );
  const uid = process.getuid?.() === 0 ? { uid: NOBODY, gid: NOBODY } : {};
  const child = spawn('pgbouncer', [join(folder, 'pgbouncer.ini')], { stdio: 'pipe', ...uid });
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  onTestFinished(() => void child.kill('SIGINT'));
  await until('PgBouncer listens', async () => {
    if (child.exitCode !== null) throw new Error(said);
    return /listening on|process up/.test(said);
  });
  return `postgres://${username}@127.0.0.1:${own}${pathname}`;
}

test('I1, I6: through PgBouncer in transaction mode every phase is served and every switch is made', async () => {
  const dataDir = temporaryFolder();
  const direct = await newMigratedDatabase();
  const pooled = await startPgBouncer(direct);
  await setFlags(direct, 'json-primary');
  const tandem = startTandem({ DATA_DIR: dataDir, DATABASE_URL: pooled });
  const origin = await tandem.ready();
  const load = startLoad(origin, WRITERS);
  onTestFinished(() => load.stop());
  const way = [
    'json-primary',
    'postgres-primary',
    'postgres-only',
    'postgres-primary',
    'json-primary',
  ] as const;
  for (const phase of way) {
    await setFlags(direct, phase);
    const askedMs = performance.now();
    await reached(origin, phase);
    console.log(`${phase}: reached after ${Math.round(performance.now() - askedMs)} ms`);
    await moreWrites(load, WRITES_A_PHASE);
  }
  await load.stop();
  console.log(`${load.acknowledged.size} acknowledged, ${load.refused.size} refused`);
  expect([...load.refused.values()]).toEqual([]);
  const verify = startProcess(
    [process.execPath, 'apps/cli/src/main.ts', 'verify', '--full'],
    environmentWith({ DATA_DIR: dataDir, DATABASE_URL: pooled }),
  );
  expect(await verify.ended, verify.output()).toBe(0);
  expect(await tandem.interrupt()).toBe(0);
  const rows = await query(direct, EXPENSE_ROWS);
  expect(rows).toEqual(legacyFile(join(dataDir, 'json'), 'expenses.json'));
  const stored = new Map(rows.map((row) => [row.id, row]));
  for (const [id, written] of load.acknowledged) expect(stored.get(id) ?? null).toEqual(written);
}, 300_000);
