import { type LedgerEntry, subjectOf } from '@tandem/storage/consistency';
import { textTable } from './text-table.ts';

/** The ledger's entries for a person. */
export function divergencesAsText(entries: readonly LedgerEntry[]): string {
  if (entries.length === 0) return 'None.';
  return textTable(
    [
      { name: 'id', alignRight: true },
      ...['of', 'class', 'kind', 'found by', 'first seen', 'last seen', 'ended'].map((name) => ({
        name,
      })),
    ],
    entries.map((entry) => [
      String(entry.id),
      subjectOf(entry),
      entry.class,
      entry.kind,
      entry.foundBy,
      entry.firstSeen,
      entry.lastSeen,
      endOf(entry),
    ]),
  ).join('\n');
}

/** One entry, whole. */
export function divergenceAsText(entry: LedgerEntry): string {
  const side = (name: 'primary' | 'secondary'): string => {
    const one = entry[name];
    if (one === undefined) return '–';
    const stamp = one.epoch === undefined ? '' : `${one.epoch}-${one.version} `;
    return `${stamp}${one.text ?? 'deleted'}`;
  };
  return [
    `Divergence ${entry.id}: ${subjectOf(entry)}, ${entry.class} (${entry.kind} in ${entry.into})`,
    `Found by    ${entry.foundBy}, first ${entry.firstSeen}, last ${entry.lastSeen}${entry.lastRun === null ? '' : ` (verify ${entry.lastRun})`}`,
    `Primary     ${side('primary')}`,
    `Secondary   ${side('secondary')}`,
    ...(entry.detail === undefined ? [] : [`Because     ${entry.detail}`]),
    `Ended       ${endOf(entry)}`,
    ...(entry.reason === null ? [] : [`Reason      ${entry.reason} (${entry.resolvedBy})`]),
  ].join('\n');
}

function endOf({ resolvedAt, resolution, repairedAt }: LedgerEntry): string {
  if (resolvedAt !== null) return `${resolution ?? 'by hand'} ${resolvedAt}`;
  return repairedAt === null ? 'open' : `open, a repair is on its way since ${repairedAt}`;
}
