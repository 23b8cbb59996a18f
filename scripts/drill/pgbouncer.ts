// npm run drill:pgbouncer: the whole way through the phases, under load, with PgBouncer in transaction mode
// between every process and PostgreSQL. Needs the `pgbouncer` program.
import { spawnSync } from 'node:child_process';
import { root } from '../root.ts';

const { status } = spawnSync('vitest', ['run', 'e2e/drills/pgbouncer.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TANDEM_DRILLS: 'pgbouncer' },
});
process.exitCode = status ?? 1;
