/** Works on a JSON text that is known to be whole, without recursing, whatever its depth. */

const WHITE_SPACE = /[ \t\r\n]/;

/** Just behind the string literal that starts at `from`. */
function endOfString(text: string, from: number): number {
  let at = from + 1;
  while (text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

/** The text of each element of a top-level array, as it is written. */
export function elementsOf(text: string): string[] {
  const elements: string[] = [];
  let depth = 0;
  let start = -1;
  for (let at = 0; at < text.length; ) {
    const character = text[at] as string;
    const ends = depth === 1 && (character === ',' || character === ']');
    if (ends && start >= 0) {
      elements.push(text.slice(start, at).trimEnd());
      start = -1;
    } else if (depth === 1 && start < 0 && !WHITE_SPACE.test(character)) start = at;
    if (character === '"') {
      at = endOfString(text, at);
      continue;
    }
    if (character === '[' || character === '{') depth++;
    else if (character === ']' || character === '}') depth--;
    at++;
  }
  return elements;
}

/** The same JSON without white space between its words. */
export function compactJson(text: string): string {
  const parts: string[] = [];
  let from = 0;
  for (let at = 0; at < text.length; ) {
    const character = text[at] as string;
    if (character === '"') at = endOfString(text, at);
    else if (WHITE_SPACE.test(character)) {
      parts.push(text.slice(from, at));
      from = ++at;
    } else at++;
  }
  parts.push(text.slice(from));
  return parts.join('');
}
