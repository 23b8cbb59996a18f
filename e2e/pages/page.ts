// Pages whose commands are run. The word after `sh` says how:
//
//   ```sh              run by bash in order; must end with status 0
//   ```sh exit=3       must end with that status
//   ```sh until        run again until its output is the one shown
//   ```sh start        a terminal of its own, until the next `sh stop`; ready when the output is as shown
//   ```sh stop         Ctrl-C in that terminal
//   ```sh not-run      shown only: what it needs is not there in a test; the text says so
//
// A ```text block right behind one is the output it must have: `…` stands for anything, instants,
// durations, ids of processes and the like for any of their kind.
import { readFileSync, writeFileSync } from 'node:fs';

const HOWS = ['run', 'until', 'start', 'stop', 'not-run'] as const;
type How = (typeof HOWS)[number];

export interface Block {
  readonly how: How;
  readonly commands: string;
  readonly status: number;
  /** What it must print; `undefined` where the page shows nothing. */
  readonly shown: string | undefined;
  /** Of its first line. */
  readonly line: number;
  /** Of the shown text in the page, in lines: the first, and the one behind the last. */
  readonly shownAt: readonly [number, number] | undefined;
}

const FENCE = /^```(?:sh)\b ?(.*)$/;

/** The runnable blocks of a page, in order. @throws {Error} for a word that says nothing */
export function blocksOf(markdown: string): Block[] {
  const lines = markdown.split('\n');
  const blocks: Block[] = [];
  for (let at = 0; at < lines.length; at += 1) {
    const fence = FENCE.exec(lines[at] as string);
    if (fence === null) continue;
    const line = at + 2;
    const end = lines.indexOf('```', at + 1);
    if (end < 0) throw new Error(`The block at line ${at + 1} has no end.`);
    const commands = lines.slice(at + 1, end).join('\n');
    const next = lines[end + 1] === '' ? end + 2 : end + 1;
    const shownEnd = lines[next] === '```text' ? lines.indexOf('```', next + 1) : -1;
    const shownAt = shownEnd < 0 ? undefined : ([next + 1, shownEnd] as const);
    const shown = shownAt && lines.slice(...shownAt).join('\n');
    blocks.push({ ...wordsOf(fence[1] as string, at + 1), commands, shown, line, shownAt });
    at = shownEnd < 0 ? end : shownEnd;
  }
  return blocks;
}

function wordsOf(words: string, line: number): { how: How; status: number } {
  const status = /^exit=(\d+)$/.exec(words)?.[1];
  if (status !== undefined) return { how: 'run', status: Number(status) };
  const how = HOWS.find((one) => one === (words === '' ? 'run' : words));
  if (how === undefined) throw new Error(`Line ${line}: "${words}" does not say how it is run.`);
  return { how, status: 0 };
}

/** Puts what was really printed in the place of what a page shows, from its end on. */
export function writeShown(path: string, printed: readonly (readonly [Block, string])[]): void {
  const lines = readFileSync(path, 'utf8').split('\n');
  for (const [{ shownAt }, output] of [...printed].reverse()) {
    if (shownAt === undefined) continue;
    const [from, to] = shownAt;
    lines.splice(from, to - from, ...output.trimEnd().split('\n'));
  }
  writeFileSync(path, lines.join('\n'));
}

/** What differs from one run to the next, and what it is held against. */
const VARYING: readonly (readonly [RegExp, string])[] = [
  [/\d{4}-\d\d-\d\dT\d\d[:-]\d\d[:-]\d\d\.\d{3}Z/, '\\d{4}-\\d\\d-\\d\\dT[\\d:.-]+Z'],
  [/\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b/, '[0-9a-f-]{36}'],
  [/\b[0-9a-f]{64}\b/, '[0-9a-f]{64}'],
  [/\b[0-9a-f]{12}\b/, '[0-9a-f]{12}'],
  [/\b\d+(?:\.\d+)? (?:ms|s|min|MiB|KiB)\b/, '[\\d.]+ \\w+'],
  [/\b(?:pid|process) \d+/, '(?:pid|process) \\d+'],
  [/\bapi \d+/, 'api \\d+'],
  [/\bworker \d+/, 'worker \\d+'],
  [/\b\d\d:\d\d:\d\d\.\d+\b/, '[\\d:.]+'],
  [/[\w.-]+@[\w.-]+/, '\\S+@\\S+'],
  [/\/(?:[\w.-]+\/)+[\w.-]+/, '/\\S+'],
  [/127\.0\.0\.1:\d+|localhost:\d+/, '[\\w.]+:\\d+'],
  [/-{3,}/, '-+'],
  [/\s+/, '\\s+'],
  [/…/, '[^]*?'],
];
const ANY = new RegExp(`(${VARYING.map(([{ source }]) => source).join('|')})`);

/** Said now and then while something takes long, which on a busy machine anything may. */
const PROGRESS = /^(?:Verify|Backfill|Repair): .* a second.*\n/gm;

/** Whether an output is the one a page shows. */
export function isShown(shown: string, printed: string): boolean {
  const output = printed.replaceAll(PROGRESS, '');
  const pattern = shown.trim().split(ANY).map(patternOf).join('');
  return new RegExp(`^\\s*${pattern}\\s*$`).test(output);
}

function patternOf(part: string): string {
  const varying = VARYING.find(([{ source }]) => new RegExp(`^(?:${source})$`).test(part));
  return varying?.[1] ?? part.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&');
}
