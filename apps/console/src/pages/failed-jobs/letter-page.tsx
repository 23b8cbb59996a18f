import { useState } from 'preact/hooks';
import { useResource } from '../../api/resource.ts';
import { count } from '../../format.ts';
import { Badge } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Facts } from '../../parts/facts.tsx';
import { FieldDiff, fieldsOf } from '../../parts/field-diff.tsx';
import { JsonText } from '../../parts/json-text.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Read } from '../../parts/read.tsx';
import { RecordLink } from '../../parts/record-link.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { stampText } from '../../parts/stamp.ts';
import { hrefOf } from '../../router.ts';
import { STORE_NAMES } from '../../words.ts';
import { JobsPanel } from '../records/jobs-panel.tsx';
import { BothSides } from '../records/record-view.tsx';
import { ACTS, type ActWords, type Letter, type ShownLetter } from './letters.ts';
import { LettersDialog } from './letters-dialog.tsx';

const READ_INTERVAL_MS = 5_000;

/** One dead letter: why it failed each time, what it carries, and what both stores hold now. */
export function LetterPage({ jobId }: { jobId: string }) {
  const [asked, setAsked] = useState<ActWords | null>(null);
  const shown = useResource<ShownLetter>(`/dead-letters/${encodeURIComponent(jobId)}`, {
    everyMs: READ_INTERVAL_MS,
  });
  const isGone = shown.problem?.status === 404;
  return (
    <>
      <p>
        <a href={hrefOf('failed-jobs')}>← All failed jobs</a>
      </p>
      {isGone ? (
        <EmptyState isGood title="This letter is no more.">
          It was redriven, discarded, or a newer version of its record has taken its place.
        </EmptyState>
      ) : (
        <Read of={shown} what="the letter">
          {({ letter, record }) => (
            <>
              <LetterPanel of={letter} ask={setAsked} />
              {record !== null && <BothSides of={record} />}
              <CarriedPanel of={letter} record={record} />
              {record !== null && <JobsPanel of={record} />}
            </>
          )}
        </Read>
      )}
      {asked !== null && (
        <LettersDialog
          words={asked}
          meant={{ filter: { jobIds: [jobId] } }}
          what="this letter"
          close={() => setAsked(null)}
          done={shown.reload}
        />
      )}
    </>
  );
}

const ATTEMPTS: readonly TableColumn<Letter['attempts'][number]>[] = [
  { name: 'At', cell: ({ at }) => <RelativeTime at={at} /> },
  { name: 'Cause', cell: ({ cause }) => cause },
  { name: 'Error', cell: ({ error }) => error },
];

function LetterPanel({ of: letter, ask }: { of: Letter; ask: (words: ActWords) => void }) {
  const { change, direction, cause, error, failures, redriven, since, attempts, jobId } = letter;
  return (
    <Panel
      title="The failed job"
      note={<Badge tone="bad">{cause}</Badge>}
      actions={Object.values(ACTS).map((words) => (
        <button
          key={words.act}
          type="button"
          class={words.isGrave ? 'secondary outline' : undefined}
          onClick={() => ask(words)}
        >
          {words.verb} …
        </button>
      ))}
    >
      <p>{error}</p>
      <Facts
        of={[
          ['Record', change === null ? '–' : <RecordLink key="record" {...change} />],
          ['Should have reached', STORE_NAMES[direction]],
          ['Change', change === null ? '–' : `${change.op} to ${stampText(change)}`],
          ['Failed for good', <RelativeTime key="since" at={since} />],
          ['Failures', count(failures)],
          ['Redriven before', count(redriven)],
          ['Job', <code key="job">{jobId}</code>],
        ]}
      />
      <h3>Every attempt</h3>
      {attempts.length === 0 ? (
        <p class="quiet">No attempt was noted.</p>
      ) : (
        <DataTable
          caption="Attempts"
          columns={ATTEMPTS}
          rows={attempts}
          keyOf={({ at, error: why }) => `${at} ${why}`}
        />
      )}
    </Panel>
  );
}

/** What the letter would write, beside what the store it is meant for holds now. */
function CarriedPanel({
  of: { change, key, direction },
  record,
}: { of: Letter } & Pick<ShownLetter, 'record'>) {
  if (change === null) {
    return key === null ? null : (
      <Panel title="What it carries">
        <p>
          The answer that the idempotency key <code>{key.key}</code> stands for.
        </p>
        <JsonText summary="Show it" value={key.outcome} />
      </Panel>
    );
  }
  const side = record?.[direction];
  const standing = side?.readable === true ? side.text : null;
  return (
    <Panel title="What it carries">
      {change.record === null ? (
        <p>It deletes the record.</p>
      ) : (
        <FieldDiff
          caption="What the letter carries, and what its store holds"
          left="The letter"
          right={`${STORE_NAMES[direction]} now`}
          fields={fieldsOf(change.record, standing)}
        />
      )}
    </Panel>
  );
}
