// The commands of the operators' pages, run in order on a real system, their outputs compared.
// TANDEM_DOCS=write puts what was really printed into the page.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ERROR_CODES } from '@tandem/storage/errors';
import { gatesOf } from '@tandem/storage/phase';
import { expect, onTestFinished, test } from 'vitest';
import { createProgram } from '../apps/cli/src/program.ts';
import { type Block, blocksOf, isShown, writeShown } from './pages/page.ts';
import { refusalsInSources } from './pages/refusals.ts';
import { Terminal } from './pages/terminal.ts';
import { root } from './tandem-process.ts';

const WRITES = process.env.TANDEM_DOCS === 'write';
/** How a page may show a block whose output can't be compared or written as it is. */
const HELD_AS_SHOWN = ['until', 'start', 'stop', 'not-run'];

const asOnAnyMachine = (output: string, folder: string): string =>
  output.replaceAll(folder, '/srv/tandem').replaceAll(/\w+@[\w.-]+/g, 'ops@host');

async function follow(page: string): Promise<void> {
  const path = join(root, page);
  const terminal = await Terminal.open();
  const printed: [Block, string][] = [];
  onTestFinished(() => {
    if (WRITES) writeShown(path, printed);
  });
  for (const block of blocksOf(readFileSync(path, 'utf8'))) {
    const output = await terminal.run(block);
    const { shown, how, line } = block;
    if (shown === undefined || HELD_AS_SHOWN.includes(how) || isShown(shown, output)) continue;
    if (WRITES) printed.push([block, asOnAnyMachine(output, terminal.folder)]);
    else expect.fail(`${page}:${line} shows\n${shown}\n--- but it printed\n${output}`);
  }
  await terminal.stop();
}

test('I6: the transition guide leads from legacy files to Phase 5 and back, as it says', async () => {
  await follow('docs/transition-guide.md');
}, 400_000);

test('I12: the runbook’s commands do what it says: a backup and a restore of each store, among others', async () => {
  await follow('docs/runbook.md');
}, 400_000);

const runbook = readFileSync(join(root, 'docs/runbook.md'), 'utf8').replaceAll(/\s+/g, ' ');

test('the runbook has an entry for every sentence that refuses a start or an opening', () => {
  const parts = refusalsInSources();
  expect(parts.length).toBeGreaterThan(60);
  const unsaid = parts.filter(({ part }) => !runbook.includes(part.replaceAll('|', '\\|')));
  expect(unsaid).toEqual([]);
});

test('the runbook has an entry for every gate and every code of an error', () => {
  const gates = gatesOf({
    ...{ postgresProblem: null, targetProblem: null, verified: null, catchUpSince: null },
    ...{ mappingErrors: 0, undecided: 0, overBudget: [], foreignEdits: 0, deadLetters: 0 },
    ...{ backlog: 0, disagreement: null },
  });
  for (const { name } of gates) expect(runbook).toContain(`| ${name} |`);
  for (const code of ERROR_CODES) expect(runbook).toContain(`\`${code}\``);
});

test('every command that a page names is one that the command line has', async () => {
  const unknown: string[] = [];
  for (const page of [
    'README.md',
    ...readdirSync(join(root, 'docs'), { encoding: 'utf8' }).map((name) => `docs/${name}`),
  ]) {
    if (!page.endsWith('.md')) continue;
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, words = ''] of text.matchAll(
      /`(?:npm run -s )?tandem (?:-- )?([a-z][^`…<]*)`/g,
    )) {
      if (!isCommand(words.split(/\s+/))) unknown.push(`${page}: tandem ${words}`);
    }
  }
  expect(unknown).toEqual([]);
});

/** Whether words lead to a command, and every option among them is one of its, or of its default's. */
function isCommand(words: readonly string[]): boolean {
  let command = createProgram({}, { data: () => {}, say: () => {} }, () => {});
  for (const word of words) {
    const sub = command.commands.find((one) => one.name() === word);
    if (sub !== undefined) command = sub;
    else if (command.parent === null) return false;
    const options = [command, ...command.commands].flatMap((one) => one.options);
    if (word.startsWith('--') && !options.some(({ long }) => long === word)) return false;
  }
  return true;
}
