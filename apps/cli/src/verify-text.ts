import {
  describeReadiness,
  type RollbackReadiness,
  type VerifyDifference,
} from '@tandem/storage/consistency';
import { textTable } from './text-table.ts';
import type { Verified } from './verify.ts';

type Failure = RollbackReadiness['first'][number];

const SENTENCES = {
  clean: 'Both stores say the same.',
  differences: 'The stores differ.',
  inconclusive: 'Nothing differs for good, but changes were still on their way: run it again.',
} as const;

/** What a run found, for a person. */
export function verifyAsText({ phase, run }: Verified): string {
  const counted = Object.entries(run.counts).filter(([, count]) => count > 0);
  const what = run.mode === 'full' ? 'were' : 'in ranges that changed were';
  const lines = [
    `Verify ${run.id}: ${SENTENCES[run.outcome]}`,
    `${run.seen} records and tombstones and ${run.keysSeen} idempotency keys ${what} compared with the primary, ${run.primary} (${phase}, epoch ${run.watermark.epoch}, outbox at ${run.watermark.outboxSeq}).`,
  ];
  if (phase === 'json-only' || phase === 'postgres-only') {
    lines.push(`In ${phase} the other store is not written: differences are to be expected.`);
  }
  if (run.readiness !== undefined) {
    lines.push(`Rollback readiness: ${describeReadiness(run.readiness)}.`);
    lines.push(...run.readiness.first.map(failureAsText));
  }
  if (counted.length > 0) {
    lines.push(
      '',
      ...textTable(
        [{ name: 'class' }, { name: 'differences', alignRight: true }],
        counted.map(([name, count]) => [name, String(count)]),
      ),
      '',
      ...textTable(
        ['class', 'kind', 'of', 'primary', 'secondary', 'detail'].map((name) => ({ name })),
        run.differences.map(rowOf),
      ),
    );
    const listed = run.differences.length;
    const all = counted.reduce((sum, [, count]) => sum + count, 0);
    if (all > listed) lines.push(`(the first ${listed} of ${all})`);
  }
  return lines.join('\n');
}

const failureAsText = ({ collection, id, field, class: name }: Failure): string =>
  `  ${collection} ${id}${field === null ? '' : `, ${field}`} (${name})`;

const rowOf = (difference: VerifyDifference): string[] => {
  const { class: name, kind, subject, primary, secondary, detail } = difference;
  const of = 'key' in subject ? `key ${subject.key}` : `${subject.collection} ${subject.id}`;
  return [name, kind, of, sideOf(primary), sideOf(secondary), detail ?? ''];
};

function sideOf(side: VerifyDifference['primary']): string {
  if (side === undefined) return '–';
  const { epoch, version, text } = side;
  const stamp = epoch === undefined ? '' : `${epoch}-${version} `;
  return `${stamp}${text ?? 'deleted'}`;
}
