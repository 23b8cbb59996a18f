/**
 * JSON with its numbers' spelling kept (I8). Built on "JSON.parse source text access" (ECMAScript
 * proposal, stage 4): `JSON.rawJSON` wraps a number's source text, and `JSON.stringify` writes it
 * back as it was.
 */

/** A number kept as the text it was written with. */
export interface ExactNumber {
  readonly rawJSON: string;
}

interface ExactJson {
  parse(
    text: string,
    revive: (key: string, value: unknown, context: { source: string }) => unknown,
  ): unknown;
  rawJSON(text: string): ExactNumber;
  isRawJSON(value: unknown): value is ExactNumber;
}
const exactJson = JSON as unknown as ExactJson;

export const isExactNumber = (value: unknown): value is ExactNumber => exactJson.isRawJSON(value);

/**
 * A number by its spelling.
 * @throws {SyntaxError} when it is none
 */
export const exactNumber = (spelling: string): ExactNumber => exactJson.rawJSON(spelling);

/**
 * Parses JSON; every number becomes an {@link ExactNumber}.
 * @throws {SyntaxError} as `JSON.parse` does
 */
export function parseExact(text: string): unknown {
  return exactJson.parse(text, (_key, value, context) =>
    typeof value === 'number' ? exactJson.rawJSON(context.source) : value,
  );
}

/** Levels of brackets a record may have. Parsing and writing recurse, on whatever stack there is then;
 *  PostgreSQL and the readers of a checkpoint do too. */
export const NESTING_MAX = 500;

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING = new Set([0x5b, 0x7b]);
const CLOSING = new Set([0x5d, 0x7d]);

/** Whether a JSON text has more than `levels` levels of brackets. Does not recurse. */
export function nestsDeeper(text: string, levels: number): boolean {
  // Almost every text has one bracket, its first character.
  if (levels > 0 && text.indexOf('{', 1) < 0 && text.indexOf('[', 1) < 0) return false;
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) {
      do at += text.charCodeAt(at) === BACKSLASH ? 2 : 1;
      while (at < text.length && text.charCodeAt(at) !== QUOTE);
    } else if (OPENING.has(unit)) {
      if (++depth > levels) return true;
    } else if (CLOSING.has(unit)) depth--;
  }
  return false;
}

/** Writes a value of {@link parseExact} back: compact, numbers as they were spelled. */
export const stringifyExact = (value: unknown): string => JSON.stringify(value);

/** True for what JSON calls an object. */
export const isJsonObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value) && !isExactNumber(value);
