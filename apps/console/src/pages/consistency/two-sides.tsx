import type { SeenDifference, VerifyDifference } from '@tandem/storage/consistency';
import type { StoreName } from '@tandem/storage/phase';
import { FieldDiff, fieldsOf } from '../../parts/field-diff.tsx';
import { STORE_NAMES } from '../../words.ts';

/** Both versions of a difference, field by field: the primary's left. */
export function TwoSides({
  of: { primary, secondary, subject },
  into,
}: {
  of: Pick<SeenDifference | VerifyDifference, 'primary' | 'secondary' | 'subject'>;
  /** The secondary. */
  into: StoreName;
}) {
  const [ours, theirs] = [primary?.text ?? null, secondary?.text ?? null];
  const from: StoreName = into === 'json' ? 'postgres' : 'json';
  const left = `${STORE_NAMES[from]} (primary)`;
  const right = `${STORE_NAMES[into]} (secondary)`;
  return (
    <>
      {ours === null && <p>{absence(left, primary)}</p>}
      {theirs === null && <p>{absence(right, secondary)}</p>}
      {(ours !== null || theirs !== null) && (
        <FieldDiff
          caption={`Both sides of ${'key' in subject ? 'the key' : `${subject.collection} ${subject.id}`}`}
          left={left}
          right={right}
          fields={fieldsOf(ours, theirs)}
        />
      )}
    </>
  );
}

const absence = (store: string, side: VerifyDifference['primary']): string =>
  side === undefined ? `${store} has nothing of it.` : `In ${store} it is deleted.`;
