// npm run screenshots: draws every page of the console into docs/console, from a real system with
// something to show.
import { spawnSync } from 'node:child_process';
import { root } from './root.ts';

const { status } = spawnSync('vitest', ['run', 'e2e/drills/console-screenshots.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TANDEM_DRILLS: 'screenshots' },
});
process.exitCode = status ?? 1;
