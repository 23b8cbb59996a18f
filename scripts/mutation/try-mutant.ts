import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Mutant } from './mutant.ts';
import type { WorkCopy } from './work-copy.ts';

/** A mutant that makes a test hang is killed by it as well. */
const TEST_TIMEOUT_MS = 300_000;
/** Random tests of all mutants draw the same. */
const SEED = '20260101';

/** Room for what vitest prints; a run that prints more counts as failed. */
const OUTPUT_BYTES_MAX = 64 << 20;

/**
 * Runs test files in a copy of the work tree.
 * @returns `undefined` when all passed, else what was printed
 */
export function failureOf(
  copy: WorkCopy,
  tests: readonly string[],
  needsPostgres: boolean,
): string | undefined {
  const vitest = join(copy.path, 'node_modules', 'vitest', 'vitest.mjs');
  const config = needsPostgres ? [] : ['--config', 'scripts/mutation/vitest.config.ts'];
  const args = [vitest, 'run', '--bail', '1', ...config, ...tests];
  const { status, error, stdout, stderr } = spawnSync(process.execPath, args, {
    cwd: copy.path,
    env: { ...process.env, TANDEM_SEED: SEED },
    timeout: TEST_TIMEOUT_MS,
    stdio: ['ignore', 'pipe', 'pipe'],
    encoding: 'utf8',
    maxBuffer: OUTPUT_BYTES_MAX,
  });
  if (error !== undefined && !('code' in error && error.code === 'ETIMEDOUT')) throw error;
  return status === 0 ? undefined : `${stdout}${stderr}${error?.message ?? ''}`;
}

/**
 * Applies a mutant in a copy, runs its tests, and takes it back.
 * @returns whether some test failed
 * @throws {Error} when the text to be replaced does not stand in the file exactly once
 */
export function isKilled(copy: WorkCopy, mutant: Mutant): boolean {
  const takeBack = applyMutant(copy, mutant);
  try {
    return failureOf(copy, mutant.tests, mutant.needsPostgres ?? false) !== undefined;
  } finally {
    takeBack();
  }
}

/**
 * Changes one file of a copy.
 * @returns what undoes it
 * @throws {Error} when the text to be replaced does not stand in the file exactly once
 */
export function applyMutant(
  copy: WorkCopy,
  { name, file, find, replace }: Pick<Mutant, 'name' | 'file' | 'find' | 'replace'>,
): () => void {
  const path = join(copy.path, file);
  const source = readFileSync(path, 'utf8');
  const parts = source.split(find);
  if (parts.length !== 2) {
    throw new Error(`"${name}": its text stands ${parts.length - 1} times in ${file}.`);
  }
  writeFileSync(path, parts.join(replace));
  return () => writeFileSync(path, source);
}
