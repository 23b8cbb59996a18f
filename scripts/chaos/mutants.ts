import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { applyMutant } from '../mutation/try-mutant.ts';
import { copyWorkTree, type WorkCopy } from '../mutation/work-copy.ts';
import { runSeed } from './run-seed.ts';

/** Each seed's schedule has what the mutants need; the first that fails is enough. */
const SEEDS = [182, 474, 22, 591] as const;
const SHOWN_MAX = 3;
const HERE = { seconds: 60, output: 'ignore' } as const;

interface ChaosMutant {
  readonly name: string;
  /** From the root. */
  readonly file: string;
  /** Stands in the file exactly once. */
  readonly find: string;
  readonly replace: string;
}

/** Protections that hold the whole together, each taken away. */
export const MUTANTS: readonly ChaosMutant[] = [
  {
    name: 'the version guard: whatever arrives is applied',
    file: 'packages/storage/src/changes/guard.ts',
    find: "if (stored === undefined) return 'apply';",
    replace: "if (stored === undefined || incoming.version > 0) return 'apply';",
  },
  {
    name: 'the epoch check: PostgreSQL takes writes in every phase, sealed or not',
    file: 'packages/storage/src/postgres/write-batch.ts',
    find: "if (primaryOf(phase) === 'postgres' && !sealed) return;",
    replace: 'if (epoch > 0) return;',
  },
  {
    name: 'the transaction around the enqueue: jobs go in by a connection of their own',
    file: 'packages/storage/src/postgres/write-batch.ts',
    find: 'await context.jobs.insert(client, [...items, ...keyItems]);',
    replace: `const own = await context.pool.connect();
    try {
      await context.jobs.insert(own, [...items, ...keyItems]);
    } finally {
      own.release();
    }`,
  },
];

/** @returns how many survived */
export async function tryMutants(part: string): Promise<number> {
  const mutants = MUTANTS.filter(({ name }) => name.includes(part));
  const copy = copyWorkTree();
  const folder = mkdtempSync(join(tmpdir(), 'tandem-chaos-mutants-'));
  let survived = 0;
  try {
    if (!(await runSeed({ ...HERE, seed: SEEDS[0], folder, tree: copy.path })).passed) {
      throw new Error('It fails before anything was taken away; that would kill any mutant.');
    }
    for (const mutant of mutants) {
      const why = await whyKilled(copy, mutant, folder);
      if (why === undefined) survived += 1;
      console.log(`${why === undefined ? 'SURVIVED' : 'killed  '} ${mutant.name}`);
      if (why !== undefined) console.log(`         ${why}`);
    }
  } finally {
    copy.remove();
    rmSync(folder, { recursive: true, force: true });
  }
  console.log(`${mutants.length} mutants, ${mutants.length - survived} killed`);
  return survived;
}

/** The first violations of the first seed that failed; `undefined` when all passed. */
async function whyKilled(
  copy: WorkCopy,
  mutant: ChaosMutant,
  folder: string,
): Promise<string | undefined> {
  const takeBack = applyMutant(copy, mutant);
  try {
    for (const seed of SEEDS) {
      const run = await runSeed({ ...HERE, seed, folder, tree: copy.path });
      if (run.passed) continue;
      const file = join(run.folder, 'violations.txt');
      if (!existsSync(file)) throw new Error(`Seed ${seed} ended without a judgement.`);
      const violations = readFileSync(file, 'utf8').split('\n\n');
      const shown = violations.slice(0, SHOWN_MAX).map((one) => one.split('\n')[0]);
      return `seed ${seed}: ${shown.join('\n         ')}`;
    }
    return undefined;
  } finally {
    takeBack();
  }
}
