import type { DeadLetter, DeadLetterActResult } from '@tandem/storage/replication';
import type { DeadLetterAct } from './dead-letters.ts';
import { textTable } from './text-table.ts';

/** Characters of an error that a table line has room for. */
const ERROR_CHARACTERS_MAX = 80;

/** What a letter is about. */
function subjectOf({ item }: DeadLetter): string {
  if (item === undefined) return '–';
  if (item.kind === 'key') return `key ${item.key.key}`;
  const { op, collection, id, epoch, version } = item.change;
  return `${op} ${collection} ${id} (${epoch}-${version})`;
}

export function deadLettersAsText(letters: readonly DeadLetter[]): string {
  const rows = letters.map((letter) => [
    ...[letter.jobId, letter.direction, subjectOf(letter), letter.cause, letter.since],
    letter.error.slice(0, ERROR_CHARACTERS_MAX),
  ]);
  const table = textTable(
    ['id', 'to', 'change', 'cause', 'since', 'error'].map((name) => ({ name })),
    rows,
  );
  return [...table, `(${rows.length} ${rows.length === 1 ? 'dead letter' : 'dead letters'})`].join(
    '\n',
  );
}

/** One letter, whole. */
export function deadLetterAsText(letter: DeadLetter): string {
  const { item } = letter;
  const lines = [
    `Dead letter   ${letter.jobId}`,
    `Should reach  ${letter.direction}`,
    `Carries       ${subjectOf(letter)}`,
    `Cause         ${letter.cause}`,
    `Failures      ${letter.failures}`,
    `Since         ${letter.since}`,
    `Error         ${letter.error}`,
  ];
  if (item?.kind === 'change') lines.push(`Record        ${item.change.record ?? 'deleted'}`);
  if (item?.kind === 'key') lines.push(`Outcome       ${item.key.outcome}`);
  return lines.join('\n');
}

const DONE: Readonly<Record<DeadLetterAct, string>> = {
  redrive: 'put back into the queue',
  discard: 'discarded; the audit log keeps them',
};

export function actAsText(
  act: DeadLetterAct,
  { matched, changed, skipped }: DeadLetterActResult,
  dryRun: boolean,
): string {
  const match = `${matched} ${matched === 1 ? 'dead letter matches' : 'dead letters match'}`;
  if (dryRun) return `${match}; nothing was changed (dry run).`;
  const rest = skipped === 0 ? '' : `, ${skipped} skipped: somebody else had them`;
  return `${match}; ${changed} ${DONE[act]}${rest}.`;
}
