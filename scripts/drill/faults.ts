// npm run drill:faults: 50 faults among 200,000 records and 300 writes a second are found and mended,
// after 20 runs without a false alarm. Some minutes.
import { spawnSync } from 'node:child_process';
import { root } from '../root.ts';

const { status } = spawnSync('vitest', ['run', 'e2e/drills/fifty-faults.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TANDEM_DRILLS: 'faults' },
});
process.exitCode = status ?? 1;
