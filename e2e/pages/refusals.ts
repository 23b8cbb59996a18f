// Every sentence with which Tandem refuses to start or to open, read out of the sources.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../../scripts/root.ts';

const SOURCES = [
  ...['packages/storage/src', 'apps/api/src/process', 'apps/worker/src', 'scripts/launcher'],
];
/** What such a sentence stands behind. */
const REFUSING =
  /(?:\brefusal\(|\bdamagedSegment\(|\bdamaged\(|\brefuse\(|'(?:mismatched-stores|configuration|lock-held)',|\bconst sentence =)(?!\n? *(?:path|file): string)/g;
/** The sentence begins no farther behind that. */
const NEAR_CHARS = 200;
const LITERAL = /'((?:[^'\\\n]|\\.)+)'|`((?:[^`\\]|\\.)+)`|"([^"\n]+)"/g;
/** A place for what differs, also one that has a template of its own. */
const HOLE = /\$\{(?:[^{}`]|`[^`]*`|\{[^}]*\})*\}/;
const SENTENCE_CHARS_MIN = 12;
/** Enough to be told from the others. */
const PART_CHARS_MAX = 60;

export interface Refusal {
  readonly file: string;
  /** The longest part of the sentence that is always the same. */
  readonly part: string;
}

export function refusalsInSources(): Refusal[] {
  const found = new Map<string, Refusal>();
  for (const source of SOURCES) {
    for (const name of readdirSync(join(root, source), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.ts') || /\.test\.ts$|testing\/|drill\/|mutation\//.test(name)) continue;
      const file = join(source, name);
      const text = readFileSync(join(root, file), 'utf8');
      for (const { index, 0: mark } of text.matchAll(REFUSING)) {
        const [statement = ''] = text.slice(index + mark.length).split('new Error(');
        const part = sentenceOf(statement);
        if (part !== undefined) found.set(part, { file, part });
      }
    }
  }
  return [...found.values()];
}

function sentenceOf(text: string): string | undefined {
  for (const { index, 1: single, 2: template, 3: double } of text.matchAll(LITERAL)) {
    if (index > NEAR_CHARS) return undefined;
    const parts = (single ?? template ?? double ?? '').split(HOLE).map((one) => one.trim());
    const [longest = ''] = parts.sort((a, b) => b.length - a.length);
    if (longest.length < SENTENCE_CHARS_MIN || !longest.includes(' ')) continue;
    return longest.slice(0, PART_CHARS_MAX).trim();
  }
  return undefined;
}
