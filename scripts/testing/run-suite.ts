//   vitest, in a process group of its own ──> report.json ──> tally
//      │ over its budget: the whole group is killed, one failure
//      └ what it leaves behind is ended, one failure
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root } from '../root.ts';
import { endLeftovers, RUN_VARIABLE } from './leftovers.ts';
import type { Suite } from './suites.ts';
import { type Status, type Tally, tallyOf } from './tally.ts';

export interface SuiteResult extends Tally {
  readonly name: string;
  readonly seconds: number;
}

interface Options {
  /** Where vitest runs; the checkout unless told. */
  readonly folder?: string;
  /** vitest's own output: to the terminal, or nowhere. */
  readonly output?: 'inherit' | 'ignore';
}

/** Runs one suite within its budget. Its temporary files are in one folder, removed at the end. */
export async function runSuite(suite: Suite, options: Options = {}): Promise<SuiteResult> {
  const started = performance.now();
  const seconds = () => (performance.now() - started) / 1000;
  const missing = suite.missing?.();
  if (missing !== undefined) {
    const skipped = [`the suite "${suite.name}": ${missing}`];
    return { name: suite.name, seconds: seconds(), passed: 0, failed: [], skipped };
  }
  const home = mkdtempSync(join(tmpdir(), 'tandem-test-run-'));
  try {
    const { status, late } = await runVitest(suite, home, options);
    const tally = late
      ? { passed: 0, failed: [`the suite took more than ${suite.budgetSeconds} s`], skipped: [] }
      : tallyOf(readReport(home), status);
    const left = (await endLeftovers(home)).map((process) => `left behind: ${process}`);
    const failed = late ? tally.failed : [...tally.failed, ...left];
    return { name: suite.name, seconds: seconds(), ...tally, failed };
  } finally {
    rmSync(home, { recursive: true, force: true });
  }
}

const reportFile = (home: string) => join(home, 'report.json');

function readReport(home: string): Parameters<typeof tallyOf>[0] {
  try {
    return JSON.parse(readFileSync(reportFile(home), 'utf8'));
  } catch {
    // vitest died before it wrote one; its exit status tells the failure.
    return { testResults: [] };
  }
}

function runVitest(
  suite: Suite,
  home: string,
  { folder = root, output = 'inherit' }: Options,
): Promise<{ status: Status; late: boolean }> {
  const child = spawn(
    process.execPath,
    [
      join(root, 'node_modules', 'vitest', 'vitest.mjs'),
      ...['run', '--allowOnly=false', '--reporter=default', '--reporter=json'],
      ...[`--outputFile.json=${reportFile(home)}`, ...suite.files],
      ...(suite.except ?? []).map((glob) => `--exclude=${glob}`),
    ],
    {
      cwd: folder,
      detached: true,
      stdio: ['ignore', output, output],
      env: { ...process.env, ...suite.environment, TMPDIR: home, [RUN_VARIABLE]: home },
    },
  );
  let late = false;
  const killGroup = () => {
    try {
      process.kill(-(child.pid as number), 'SIGKILL');
    } catch {
      // The group ended meanwhile.
    }
  };
  const budget = setTimeout(() => {
    late = true;
    killGroup();
  }, suite.budgetSeconds * 1000);
  // The group is not the terminal's: its Ctrl-C is passed on.
  const interrupted = () => killGroup();
  process.on('SIGINT', interrupted).on('SIGTERM', interrupted);
  return new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('exit', (code, signal) => {
      clearTimeout(budget);
      process.off('SIGINT', interrupted).off('SIGTERM', interrupted);
      settle({ status: signal ?? code ?? 'nothing', late });
    });
  });
}
