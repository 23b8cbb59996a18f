// npm run properties -- [--runs N] [--seed S] [FILE ...]: a long campaign of the model-based tests.
//
// A failure prints the variables that replay it: TANDEM_SEED, TANDEM_PATH, TANDEM_REPLAY_PATH.
import { spawnSync } from 'node:child_process';
import { parseArgs } from 'node:util';
import { root } from './root.ts';

const RUNS = '5000';
const FILES = [
  'packages/storage/src/json/json-store-model.test.ts',
  'packages/storage/src/postgres/postgres-store-model.test.ts',
  'packages/storage/src/postgres/statement-faults.test.ts',
  'packages/storage/src/consistency/round-trip.test.ts',
];

const { values, positionals } = parseArgs({
  options: { runs: { type: 'string', default: RUNS }, seed: { type: 'string' } },
  allowPositionals: true,
});
const files = positionals.length > 0 ? positionals : FILES;
const { status } = spawnSync('vitest', ['run', '--testTimeout=0', ...files], {
  cwd: root,
  stdio: 'inherit',
  env: {
    ...process.env,
    TANDEM_RUNS: values.runs,
    ...(values.seed === undefined ? {} : { TANDEM_SEED: values.seed }),
  },
});
process.exitCode = status ?? 1;
