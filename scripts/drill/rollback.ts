// npm run drill:rollback [-- 10000]: rolls back from Phase 5 after so many writes there; JSON must have
// all of them when it becomes primary. An ordinary test run does it with fewer.
import { spawnSync } from 'node:child_process';
import { root } from '../root.ts';

const [writes = '10000'] = process.argv.slice(2);
const { status } = spawnSync('vitest', ['run', 'e2e/rollback.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TANDEM_ROLLBACK_WRITES: writes },
});
process.exitCode = status ?? 1;
