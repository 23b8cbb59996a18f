// npm run drill:failpoints [-- NAME]: kill -9 at every failpoint of every switch, or at those whose name
// has NAME ("promote", "demote.sealed:postgres"). Some ten minutes; an ordinary test run takes a sample.
import { spawnSync } from 'node:child_process';
import { root } from '../root.ts';

const { status } = spawnSync('vitest', ['run', 'e2e/switch-crash.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TANDEM_DRILLS: process.argv[2] ?? 'all' },
});
process.exitCode = status ?? 1;
