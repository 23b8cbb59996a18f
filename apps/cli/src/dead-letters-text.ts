import type {
  DeadLetter,
  DeadLetterAct,
  DeadLetterAnswer,
  DeadLetterGroup,
  DeadLetterGroups,
  DeadLetterList,
} from '@tandem/storage/replication';
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

const lettersOf = (count: number): string =>
  `${count} ${count === 1 ? 'dead letter' : 'dead letters'}`;

export function deadLettersAsText({ letters, total, next }: DeadLetterList): string {
  const rows = letters.map((letter) => [
    ...[letter.jobId, letter.direction, subjectOf(letter), letter.cause, letter.since],
    letter.error.slice(0, ERROR_CHARACTERS_MAX),
  ]);
  const table = textTable(
    ['id', 'to', 'change', 'cause', 'since', 'error'].map((name) => ({ name })),
    rows,
  );
  const all = rows.length === total ? '' : ` of ${total}`;
  const more = next === null ? [] : [`The next page: --cursor ${next}`];
  return [...table, `(${rows.length}${all} ${total === 1 ? 'dead letter' : 'dead letters'})`]
    .concat(more)
    .join('\n');
}

const groupsTable = (groups: readonly DeadLetterGroup[]): string[] =>
  textTable(
    [
      { name: 'letters', alignRight: true },
      ...['fingerprint', 'to', 'cause', 'of', 'first', 'last', 'error'].map((name) => ({ name })),
    ],
    groups.map(({ count, fingerprint, direction, cause, collections, ...group }) => [
      ...[String(count), fingerprint, direction, cause, collections.join(' ')],
      ...[group.firstSince, group.lastSince, group.template.slice(0, ERROR_CHARACTERS_MAX)],
    ]),
  );

export function groupsAsText({ total, groupCount, groups }: DeadLetterGroups): string {
  const shown = groups.length === groupCount ? '' : `, the largest ${groups.length} are shown`;
  const kinds = `${groupCount} ${groupCount === 1 ? 'kind' : 'kinds'} of failure`;
  return [...groupsTable(groups), `(${lettersOf(total)}, ${kinds}${shown})`].join('\n');
}

/** One letter, whole. */
export function deadLetterAsText(letter: DeadLetter): string {
  const { item, attempts } = letter;
  const lines = [
    `Dead letter   ${letter.jobId}`,
    `Should reach  ${letter.direction}`,
    `Carries       ${subjectOf(letter)}`,
    `Cause         ${letter.cause}`,
    `Fingerprint   ${letter.fingerprint}`,
    `Failures      ${letter.failures}${letter.redriven === 0 ? '' : `, redriven ${letter.redriven}×`}`,
    `Since         ${letter.since}`,
    `Error         ${letter.error}`,
  ];
  for (const { at, cause, error } of attempts) lines.push(`Attempt       ${at} ${cause}: ${error}`);
  if (item?.kind === 'change') lines.push(`Record        ${item.change.record ?? 'deleted'}`);
  if (item?.kind === 'key') lines.push(`Outcome       ${item.key.outcome}`);
  return lines.join('\n');
}

const DONE: Readonly<Record<DeadLetterAct, string>> = {
  redrive: 'put back into the queue',
  discard: 'discarded; the audit log keeps them',
};

export function actAsText(answer: DeadLetterAnswer): string {
  const { act, matched, changed, skipped, remaining, asOf, dryRun, groups } = answer;
  const match = `${matched} ${matched === 1 ? 'dead letter matches' : 'dead letters match'}`;
  if (dryRun) {
    const table = groups.length === 0 ? [] : [...groupsTable(groups), ''];
    return [...table, `${match}; nothing was changed (dry run).`].join('\n');
  }
  const rest = skipped === 0 ? '' : `, ${skipped} skipped: somebody else had them`;
  const left =
    remaining === 0
      ? ''
      : ` ${remaining} are left: the same command goes on, with --older-than ${asOf} for these alone.`;
  return `${match}; ${changed} ${DONE[act]}${rest}.${left}`;
}
