import { createHash } from 'node:crypto';
import type { CreateOptions, FileSystem } from './file-system.ts';
import type { TableSnapshot } from './record-table.ts';
import { SlicedWriter } from './state-file.ts';

/** Characters collected before they are written. */
const WRITE_CHARACTERS = 1 << 18;

/** Just behind the string literal that starts at `from`. */
function endOfString(text: string, from: number): number {
  for (let quote = text.indexOf('"', from + 1); ; quote = text.indexOf('"', quote + 1)) {
    let backslashes = 0;
    while (text[quote - 1 - backslashes] === '\\') backslashes++;
    if (backslashes % 2 === 0) return quote + 1;
  }
}

/**
 * Lays compact JSON out as Python's `json.dump(…, indent=2, ensure_ascii=False)` does. Works on the
 * text alone: strings and numbers keep their spelling.
 *
 * @param text compact JSON, as `JSON.stringify` writes it
 * @param depth how deep the value itself stands
 */
export function indentJson(text: string, depth: number): string {
  const margins: string[] = [];
  const margin = (level: number): string => {
    margins[level] ??= `\n${'  '.repeat(level)}`;
    return margins[level];
  };
  let level = depth;
  let out = '';
  for (let at = 0; at < text.length; ) {
    const character = text[at] as string;
    if (character === '"') {
      const end = endOfString(text, at);
      out += text.slice(at, end);
      at = end;
      continue;
    }
    const next = text[at + 1];
    at++;
    if (character === '{' || character === '[') {
      if (next === '}' || next === ']') {
        out += character + next;
        at++;
      } else out += character + margin(++level);
    } else if (character === '}' || character === ']') out += margin(--level) + character;
    else if (character === ',') out += `,${margin(level)}`;
    else if (character === ':') out += ': ';
    else out += character;
  }
  return out;
}

/**
 * Writes and syncs a collection in the legacy shape (I7): one whole array of its live records, pretty,
 * in id order.
 * @returns hex SHA-256 of the file
 */
export async function writeLegacyFile(
  fileSystem: FileSystem,
  path: string,
  options: CreateOptions,
  { byId }: TableSnapshot,
): Promise<string> {
  const hash = createHash('sha256');
  const file = await fileSystem.create(path, options);
  try {
    const out = new SlicedWriter(file);
    const write = async (text: string): Promise<void> => {
      const bytes = Buffer.from(text);
      hash.update(bytes);
      await out.write(bytes);
    };
    let pending = '[';
    let first = true;
    for (const { text } of byId.values()) {
      if (text === null) continue;
      pending += `${first ? '' : ','}\n  ${indentJson(text, 1)}`;
      first = false;
      if (pending.length >= WRITE_CHARACTERS) {
        await write(pending);
        pending = '';
      }
    }
    await write(`${pending}${first ? '' : '\n'}]\n`);
    await file.fsync();
    return hash.digest('hex');
  } finally {
    await file.close();
  }
}
