// npm run drill:failpoints [-- NAME]: kill -9 at every failpoint of every switch, or at those whose name
// has NAME ("promote", "demote.sealed:postgres"). Without NAME also the other drills of a
// switch: its COMMIT cut off, its gates, a stop at each place. Some twelve minutes; an ordinary test run takes a sample.
// npm run drill:failpoints -- --outage: PostgreSQL stopped (immediate) at each, and started 3 s later.
import { spawnSync } from 'node:child_process';
import { root } from '../root.ts';

const [given] = process.argv.slice(2);
const name = given === '--outage' ? ':outage' : given;
const files = ['e2e/switch-crash.test.ts', ...(name === undefined ? ['e2e/drills/'] : [])];
const { status } = spawnSync('vitest', ['run', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: { ...process.env, TANDEM_DRILLS: name ?? 'all' },
});
process.exitCode = status ?? 1;
