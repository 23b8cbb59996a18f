import { createHash } from 'node:crypto';

/** Characters of an error that are looked at: what makes two errors the same stands at the beginning. */
const ERROR_CHARACTERS_MAX = 2_000;
/** Hex digits: 48 bits tell apart more kinds of error than anybody could read. */
const FINGERPRINT_DIGITS = 12;

/** Names of the schema are what an error is about; other quoted text is a value. */
const NAMED =
  /\b(relation|table|column|constraint|index|schema|function|type|domain|trigger|role|database) "([^"]*)"/g;

/**
 * What is taken out of an error, in this order. Each replaces what differs between two failures of the
 * same kind; a digit that belongs to a word (`int4`, `expenses_2`) is no number.
 */
const TAKEN_OUT: readonly (readonly [RegExp, string])[] = [
  [/"(?:[^"\\]|\\.)*"/g, '"…"'],
  [/(?<![\p{L}\p{N}])'(?:[^'\\]|\\.)*'/gu, "'…'"],
  [/`[^`]*`/g, '`…`'],
  [/=\((?:[^()]|\([^()]*\))*\)/g, '=(…)'],
  [/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '#'],
  [
    /\b\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d+)?)?(?:Z|[+-]\d{2}(?::?\d{2})?)?)?/g,
    '#',
  ],
  [/\b0x[0-9a-f]+\b|\b(?=[0-9a-f]*\d)[0-9a-f]{12,}\b/gi, '#'],
  [/(?<![\p{L}\p{N}_])[-+]?\d+(?:[.,]\d+)*/gu, '#'],
  [/\s+/g, ' '],
];

/** Keeps a name from the replacements that follow; neither character is in an error of ours. */
const OPEN = '\u{f0000}';
const CLOSE = '\u{f0001}';

/**
 * An error without what is particular to one record: numbers, ids, instants and quoted values are
 * replaced by marks, names of tables and constraints stay.
 */
export function errorTemplate(error: string): string {
  let template = error.slice(0, ERROR_CHARACTERS_MAX);
  template = template.replaceAll(NAMED, (_all, kind, name) => `${kind} ${OPEN}${name}${CLOSE}`);
  for (const [found, mark] of TAKEN_OUT) template = template.replaceAll(found, mark);
  return template.replaceAll(OPEN, '"').replaceAll(CLOSE, '"').trim();
}

/**
 * Names a kind of failure: the same for every record that fails with the same cause and the same error
 * template. Stable over restarts and versions; a change of the rules above begins new groups.
 */
export const errorFingerprint = (cause: string, error: string): string =>
  createHash('sha256')
    .update(`${cause}\n${errorTemplate(error)}`)
    .digest('hex')
    .slice(0, FINGERPRINT_DIGITS);
