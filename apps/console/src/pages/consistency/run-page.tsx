import type { VerifyDifference, VerifyRun } from '@tandem/storage/consistency';
import { useState } from 'preact/hooks';
import { useResource } from '../../api/resource.ts';
import { count, duration, percent } from '../../format.ts';
import { Badge } from '../../parts/badge.tsx';
import { ClassBadge } from '../../parts/divergence-words.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Facts } from '../../parts/facts.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Read } from '../../parts/read.tsx';
import { SubjectLink } from '../../parts/record-link.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { stampText } from '../../parts/stamp.ts';
import { hrefOf } from '../../router.ts';
import { STORE_NAMES } from '../../words.ts';
import { RepairDialog } from './repair-dialog.tsx';
import { countsText, OUTCOME_TONES } from './runs-panel.tsx';
import { TwoSides } from './two-sides.tsx';

/** What one comparison found, with both sides of each difference. */
export function RunPage({ id }: { id: string }) {
  const run = useResource<VerifyRun>(`/verify/${encodeURIComponent(id)}`);
  return (
    <>
      <p>
        <a href={hrefOf('consistency')}>← Consistency</a>
      </p>
      <Read of={run} what={`run ${id}`}>
        {(found) => (
          <>
            <RunPanel of={found} />
            <DifferencesPanel of={found} />
          </>
        )}
      </Read>
    </>
  );
}

function RunPanel({ of: run }: { of: VerifyRun }) {
  const [isRepairing, setRepairing] = useState(false);
  const { id, outcome, startedAt, finishedAt, mode, primary, seen, keysSeen, counts } = run;
  return (
    <Panel
      title={`Run ${id}`}
      note={<Badge tone={OUTCOME_TONES[outcome] ?? 'quiet'}>{outcome}</Badge>}
      actions={
        outcome === 'differences' && (
          <>
            <a href={hrefOf('consistency', [], { run: `${id}`, state: 'all' })}>In the ledger</a>
            <button type="button" onClick={() => setRepairing(true)}>
              Repair what it found …
            </button>
          </>
        )
      }
    >
      <Facts
        of={[
          ['Began', <RelativeTime key="began" at={startedAt} />],
          ['Took', duration(Date.parse(finishedAt) - Date.parse(startedAt))],
          ['Compared', mode === 'full' ? 'everything' : 'what had changed'],
          ['Primary', STORE_NAMES[primary]],
          ['Looked at', `${count(seen)} records, ${count(keysSeen)} idempotency keys`],
          ['Differences', countsText(counts)],
          [
            'Rollback readiness',
            run.readiness === undefined ? 'as it was' : percent(run.readiness.share),
          ],
        ]}
      />
      {isRepairing && (
        <RepairDialog
          title={`Repair what run ${id} found`}
          path="/repair"
          body={{ run: id }}
          close={() => setRepairing(false)}
        />
      )}
    </Panel>
  );
}

function DifferencesPanel({ of: { differences, counts, primary } }: { of: VerifyRun }) {
  const total = Object.values(counts).reduce((sum, number) => sum + number, 0);
  const isAll = total === differences.length;
  return (
    <Panel
      title="Differences"
      note={!isAll && <span class="quiet">the first {count(differences.length)}</span>}
    >
      {differences.length === 0 ? (
        <EmptyState isGood title="Both stores say the same." />
      ) : (
        differences.map((one) => (
          <Difference key={nameOf(one)} of={one} primary={primary} isOpen={total === 1} />
        ))
      )}
    </Panel>
  );
}

function Difference({
  of: difference,
  primary,
  isOpen,
}: {
  of: VerifyDifference;
  primary: VerifyRun['primary'];
  isOpen: boolean;
}) {
  const { kind, detail } = difference;
  return (
    <details class="difference" open={isOpen}>
      <summary>
        <ClassBadge of={difference.class} /> {nameOf(difference)}{' '}
        <span class="quiet">
          {kind}; {stampOf(difference.primary)} / {stampOf(difference.secondary)}
        </span>
      </summary>
      <p>
        <SubjectLink subject={difference.subject} />
        {detail !== undefined && `: ${detail}`}
      </p>
      <TwoSides of={difference} into={primary === 'json' ? 'postgres' : 'json'} />
    </details>
  );
}

const nameOf = ({ subject }: VerifyDifference): string =>
  'key' in subject ? `key ${subject.key}` : `${subject.collection} ${subject.id}`;

const stampOf = (side: VerifyDifference['primary']): string =>
  side?.epoch === undefined || side.version === undefined
    ? 'nothing'
    : stampText({ epoch: side.epoch, version: side.version });
