import type { RepairResult } from '@tandem/storage/consistency';
import { textTable } from './text-table.ts';

const OUTCOMES = {
  planned: 'would be mended',
  repaired: 'mended',
  'on-its-way': 'written, not arrived yet: the next verify sees it',
  left: 'left alone',
  failed: 'failed',
  agreed: 'did not differ any more',
} as const;

/** What became of a repair, for a person. */
export function repairAsText({ matched, counts, items }: RepairResult): string {
  if (matched === 0) return 'There is no open difference like that.';
  const shown = Object.entries(counts).filter(([, count]) => count > 0);
  const lines = shown.map(
    ([outcome, count]) => `${count} ${OUTCOMES[outcome as keyof typeof OUTCOMES]}`,
  );
  const table = textTable(
    ['of', 'class', 'outcome', 'why'].map((name) => ({ name })),
    items.map(({ subject, class: name, act, outcome, why }) => [
      'key' in subject ? `key ${subject.key}` : `${subject.collection} ${subject.id}`,
      name,
      act === 'none' ? outcome : `${outcome} (${act})`,
      why ?? '',
    ]),
  );
  return [`${matched} looked at: ${lines.join(', ')}.`, '', ...table].join('\n');
}
