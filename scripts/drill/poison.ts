// npm run drill:poison [-- 10000]: so many writes, one of which PostgreSQL can't hold, and an adopted
// record of that kind. An ordinary test run does it with fewer.
import { spawnSync } from 'node:child_process';
import { root } from '../root.ts';

const [writes = '10000'] = process.argv.slice(2);
const { status } = spawnSync('vitest', ['run', 'e2e/poisoned.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TANDEM_POISON_WRITES: writes },
});
process.exitCode = status ?? 1;
