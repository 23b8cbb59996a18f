// What the pages say is held against the sources: every refusal, gate, code, command, link and path.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { ERROR_CODES } from '@tandem/storage/errors';
import { gatesOf } from '@tandem/storage/phase';
import { expect, test } from 'vitest';
import { createProgram } from '../apps/cli/src/program.ts';
import { refusalsInSources } from './pages/refusals.ts';
import { root } from './tandem-process.ts';

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

const PAGES = [
  ...['README.md', 'ARCHITECTURE.md', 'bench/README.md'],
  ...readdirSync(join(root, 'docs'), { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.md'))
    .map((name) => join('docs', name)),
];

test('every command that a page names is one that the command line has', async () => {
  const unknown: string[] = [];
  for (const page of PAGES) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, words = ''] of text.matchAll(
      /`(?:npm run -s )?tandem (?:-- )?([a-z][^`…<]*)`/g,
    )) {
      if (!isCommand(words.split(/\s+/))) unknown.push(`${page}: tandem ${words}`);
    }
  }
  expect(unknown).toEqual([]);
});

test('every file that a page links to or names by its path is there', () => {
  const rooms = ['', 'packages/storage/src', 'apps/api/src', 'bench'];
  const gone: string[] = [];
  for (const page of PAGES) {
    const text = readFileSync(join(root, page), 'utf8');
    for (const [, link = ''] of text.matchAll(
      /\]\((?!https?:|#|mailto:)([^)#\s]+)(?:#[^)]*)?\)/g,
    )) {
      if (!existsSync(join(root, dirname(page), link))) gone.push(`${page}: ${link}`);
    }
    for (const [, path = ''] of text.matchAll(/`([\w-]+(?:\/[\w.-]+)+\.tsx?)`/g)) {
      if (!rooms.some((room) => existsSync(join(root, room, path)))) gone.push(`${page}: ${path}`);
    }
  }
  expect(gone).toEqual([]);
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
