import type { ExternalEdit, ShownEdit } from '@tandem/storage/json';
import { textTable } from './text-table.ts';

/** Ids that a line has room for. */
const IDS_SHOWN_MAX = 10;

const COLUMNS = ['edit', 'status', 'added', 'changed', 'removed', 'left'];

const leftOf = ({ conflicting, unfit }: ExternalEdit): number => conflicting.length + unfit.length;

export function editsAsText(edits: readonly ExternalEdit[]): string {
  const rows = edits.map((edit) => {
    const { name, status, problem, added, changed, removed, withoutId } = edit;
    const counts = [added.length + withoutId, changed.length, removed.length, leftOf(edit)];
    return [name, problem === undefined ? status : `${status}, unreadable`, ...counts.map(String)];
  });
  const columns = COLUMNS.map((name, at) => ({ name, alignRight: at > 1 }));
  const count = `(${rows.length} ${rows.length === 1 ? 'edit' : 'edits'})`;
  return [...textTable(columns, rows), count].join('\n');
}

function idsAsText(ids: readonly number[]): string {
  const more = ids.length - IDS_SHOWN_MAX;
  const shown = `id ${ids.slice(0, IDS_SHOWN_MAX).join(', ')}`;
  return more > 0 ? `${shown} and ${more} more` : shown;
}

/** What is known of one, without its records. */
export function editAsText(edit: ExternalEdit): string {
  const { withoutId, problem } = edit;
  const lines = [
    `Edit         ${edit.name}`,
    `Collection   ${edit.collection}`,
    `Found        ${edit.at}`,
    `Kept at      ${edit.keptAt}`,
    `Status       ${edit.status}`,
  ];
  if (problem !== undefined) lines.push(`Unreadable   ${problem}`);
  const lists: [string, readonly number[]][] = [
    ['Added', edit.added],
    ['Changed', edit.changed],
    ['Removed', edit.removed],
    ['Conflicting', edit.conflicting],
    ['Unfit', edit.unfit],
  ];
  for (const [name, ids] of lists) {
    if (ids.length > 0) lines.push(`${name.padEnd(13)}${ids.length}: ${idsAsText(ids)}`);
  }
  if (withoutId > 0) lines.push(`Without id   ${withoutId}`);
  for (const { act, actor, at, reason } of edit.decisions) {
    lines.push(`Decision     ${act} by ${actor}, ${at}: ${reason}`);
  }
  if (edit.status === 'open' && leftOf(edit) > 0) {
    lines.push('Correct the records that were left and adopt it again, or reject the rest.');
  }
  return lines.join('\n');
}

/** One with both texts of each record. */
export function shownEditAsText(edit: ShownEdit): string {
  const records = edit.records.flatMap(({ id, from, to, fits }) => [
    '',
    `${edit.collection} ${id ?? '(no id)'}${fits ? '' : ', which its schema can not hold'}`,
    `- ${from ?? 'none'}`,
    `+ ${to ?? 'none'}`,
  ]);
  return [editAsText(edit), ...records].join('\n');
}
