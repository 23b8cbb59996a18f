/** Places in a JSON text, found only when a message needs them. */

export const lineAt = (text: string, offset: number): number => {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0 && at < offset; at = text.indexOf('\n', at + 1)) line++;
  return line;
};

/** The line of a `JSON.parse` error, from V8's message; 1 when it names none. */
export function lineOfSyntaxError(text: string, error: SyntaxError): number {
  const position = /at position (\d+)/.exec(error.message)?.[1];
  if (position !== undefined) return lineAt(text, Number(position));
  return /end of JSON input/.test(error.message) ? lineAt(text, text.length) : 1;
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
