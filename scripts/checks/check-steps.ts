import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { root } from '../root.ts';

/** A program of `node_modules/.bin` whose exit status 0 means that the step passes. */
interface CheckStep {
  readonly name: string;
  readonly program: string;
  readonly args: readonly string[];
}

const DIRECTIONS = ['style/noRestrictedImports', 'suspicious/noImportCycles'];

/** What a reviewer would check without running anything. Each step takes a second or so. */
const CHECK_STEPS: readonly CheckStep[] = [
  { name: 'types', program: 'tsc', args: ['-p', '.'] },
  { name: 'types of the console', program: 'tsc', args: ['-p', 'apps/console'] },
  { name: 'lint and format', program: 'biome', args: ['check', '--error-on-warnings', '.'] },
  {
    // Part of the step before as well; on its own it names what is wrong.
    name: 'dependency directions and import cycles',
    program: 'biome',
    args: ['lint', ...DIRECTIONS.map((rule) => `--only=${rule}`), '.'],
  },
  { name: 'dead code and undeclared dependencies', program: 'knip', args: ['--no-progress'] },
];

export interface StepResult {
  readonly name: string;
  readonly passed: boolean;
  readonly seconds: number;
  /** What the program said; worth showing when it failed. */
  readonly output: string;
}

/** Runs every step, also after one failed, and tells each result as it comes. */
export function runChecks(told: (result: StepResult) => void): readonly StepResult[] {
  return CHECK_STEPS.map(({ name, program, args }) => {
    const started = performance.now();
    const run = spawnSync(join(root, 'node_modules', '.bin', program), args, {
      cwd: root,
      encoding: 'utf8',
    });
    const result = {
      name,
      passed: run.status === 0,
      seconds: (performance.now() - started) / 1000,
      output: [run.stdout, run.stderr, run.error?.message].filter(Boolean).join('\n').trim(),
    };
    told(result);
    return result;
  });
}

/** One line a step, with the program's own words below a failed one. */
export function printStep(result: StepResult): void {
  const mark = result.passed ? '✓' : '✗';
  console.log(`${mark} ${result.name} (${result.seconds.toFixed(1)} s)`);
  if (!result.passed) console.log(result.output);
}
