// npm run fuzz -- [--requests N] [--seed S]: the fuzz of the whole API, as long as one likes.
//
// Requests are made from the OpenAPI document of a real api process, with a worker beside it, and every
// answer is held against it. Prints the seed, what it found with the bytes that were sent, and a closing
// line; the status is 1 when something was found.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { root } from './root.ts';

const REQUESTS = '100000';

const { values } = parseArgs({
  options: { requests: { type: 'string', default: REQUESTS }, seed: { type: 'string' } },
});
const { status } = spawnSync('vitest', ['run', '--disableConsoleIntercept', 'e2e/fuzz.test.ts'], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    TANDEM_FUZZ_REQUESTS: values.requests,
    ...(values.seed === undefined ? {} : { TANDEM_SEED: values.seed }),
  },
});
process.exitCode = status ?? 1;
