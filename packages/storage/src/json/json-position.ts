/** Places in a JSON text, found only when a message needs them. */

export const lineAt = (text: string, offset: number): number => {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
};

/** One word of JSON behind white space: a mark, a string, or a number, true, false or null. */
const WORD =
  /[ \t\r\n]*(?:([[\]{},:])|("[^"\\]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[^"\\]*)*")|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null)/y;
const FIRST_PRINTABLE = 0x20;

/** Index of the first control character, which JSON wants escaped, or -1. */
function controlCharacterIn(text: string): number {
  for (let at = 0; at < text.length; at++) if (text.charCodeAt(at) < FIRST_PRINTABLE) return at;
  return -1;
}

/**
 * Where a text stops being JSON. `JSON.parse` refuses it but does not always say where.
 * @returns the offset of the first word that can't stand there
 */
export function offsetOfSyntaxError(text: string): number {
  // Open brackets; `next` is what may come: a value, a key, what follows either, or the end.
  const open: string[] = [];
  let next: 'value' | 'first' | 'key' | 'first-key' | 'colon' | 'after' = 'value';
  WORD.lastIndex = 0;
  for (;;) {
    const at = WORD.lastIndex;
    const word = WORD.exec(text);
    const start = at + (/^[ \t\r\n]*/.exec(text.slice(at, at + 4_096))?.[0].length ?? 0);
    if (word === null || (next === 'after' && open.length === 0)) return start;
    const [, mark, string] = word;
    const control = string === undefined ? -1 : controlCharacterIn(string);
    if (control >= 0) return start + control;
    if (mark === '[' || mark === '{') {
      if (next !== 'value' && next !== 'first') return start;
      open.push(mark);
      next = mark === '[' ? 'first' : 'first-key';
    } else if (mark === ']' || mark === '}') {
      const empty = mark === ']' ? 'first' : 'first-key';
      if (open.pop() !== (mark === ']' ? '[' : '{')) return start;
      if (next !== 'after' && next !== empty) return start;
      next = 'after';
    } else if (mark === ',') {
      if (next !== 'after') return start;
      next = open.at(-1) === '[' ? 'value' : 'key';
    } else if (mark === ':') {
      if (next !== 'colon') return start;
      next = 'value';
    } else if (next === 'key' || next === 'first-key') {
      if (string === undefined) return start;
      next = 'colon';
    } else if (next === 'value' || next === 'first') next = 'after';
    else return start;
  }
}

/** The line on which the element `index` of a valid top-level array starts. */
export function lineOfElement(text: string, index: number): number {
  let depth = 0;
  let element = -1;
  for (let at = 0; at < text.length; at++) {
    const character = text[at] as string;
    if (depth === 1 && !/[\s,\]]/.test(character)) {
      if (++element === index) return lineAt(text, at);
      at = endOfElement(text, at);
    } else if (character === '[') depth++;
  }
  return 1;
}

/** Index of the last character of the value that starts at `from`. */
function endOfElement(text: string, from: number): number {
  let depth = 0;
  let inString = false;
  for (let at = from; at < text.length; at++) {
    const character = text[at];
    if (inString) {
      if (character === '\\') at++;
      else if (character === '"') inString = false;
    } else if (character === '"') inString = true;
    else if (character === '{' || character === '[') depth++;
    else if (character === '}' || character === ']') {
      if (depth === 0) return at - 1;
      depth--;
    } else if (character === ',' && depth === 0) return at - 1;
    if (!inString && depth === 0 && (character === '}' || character === ']')) return at;
  }
  return text.length - 1;
}
