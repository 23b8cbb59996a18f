// npm run chaos [-- --minutes M] [--seed S] [--seeds N]
//
// Real processes, 32 clients, and whatever can go wrong with processes, PostgreSQL, connections, the disk
// and the clock, by a schedule drawn from the seed; at every pause the histories are judged. A failing
// seed replays its schedule. Histories, logs and what was done when are kept in data/chaos/SEED.
//
// npm run chaos -- --mutants [PART OF A NAME]: shows that it bites. In a copy of the work tree a
// protection is taken away, and some seed must fail.
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { tryMutants } from './chaos/mutants.ts';
import { runSeed } from './chaos/run-seed.ts';
import { root } from './root.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    minutes: { type: 'string', default: '1.5' },
    seed: { type: 'string' },
    seeds: { type: 'string', default: '1' },
    mutants: { type: 'boolean', default: false },
  },
});
const firstSeed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const seconds = Math.round(Number(values.minutes) * 60);

async function runSeeds(): Promise<number> {
  const failed: number[] = [];
  const count = Number(values.seeds);
  for (let seed = firstSeed; seed < firstSeed + count; seed++) {
    const run = await runSeed({ seed, seconds, folder: join(root, 'data/chaos') });
    if (!run.passed) failed.push(seed);
  }
  console.log(`${count} seeds of ${seconds} s, ${failed.length} failed ${failed.join(' ')}`);
  return failed.length;
}

const bad = values.mutants ? await tryMutants(positionals[0] ?? '') : await runSeeds();
process.exitCode = bad === 0 ? 0 : 1;
