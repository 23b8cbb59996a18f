import type { EditedRecord, ExternalEdit } from '@tandem/storage/changes';
import { useState } from 'preact/hooks';
import { send } from '../../api/client.ts';
import { useResource } from '../../api/resource.ts';
import { counted } from '../../format.ts';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { Badge } from '../../parts/badge.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Facts } from '../../parts/facts.tsx';
import { FieldDiff, fieldsOf } from '../../parts/field-diff.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Read } from '../../parts/read.tsx';
import { RecordLink } from '../../parts/record-link.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { hrefOf } from '../../router.ts';
import { EDIT_TONES, whatOf } from './edits-panel.tsx';

interface ShownEdit extends ExternalEdit {
  readonly records: readonly EditedRecord[];
}

/** Records whose fields are shown. */
const RECORDS_SHOWN = 50;

type Act = 'adopt' | 'reject';

const WORDS = {
  adopt: {
    verb: 'Adopt',
    sentence:
      'What the edit changed becomes changes of the primary. What the primary has changed since, or can’t hold, is left, and the edit stays open.',
  },
  reject: {
    verb: 'Reject',
    sentence: 'Nothing of it is done. The edited file stays kept aside.',
  },
} as const satisfies Readonly<Record<Act, object>>;

/** One edit of a JSON file, record by record, and the decision about it. */
export function EditPage({ name }: { name: string }) {
  const edit = useResource<ShownEdit>(`/external-edits/${encodeURIComponent(name)}`);
  return (
    <>
      <p>
        <a href={hrefOf('consistency')}>← Consistency</a>
      </p>
      <Read of={edit} what="the edit">
        {(found) => <EditPanels of={found} reload={edit.reload} />}
      </Read>
    </>
  );
}

function EditPanels({ of: edit, reload }: { of: ShownEdit; reload: () => void }) {
  const [act, setAct] = useState<Act | null>(null);
  const { name, status, collection, at, keptAt, decisions, records, problem } = edit;
  const acts: readonly Act[] = problem === undefined ? ['adopt', 'reject'] : ['reject'];
  return (
    <>
      <Panel
        title={name}
        note={<Badge tone={EDIT_TONES[status]}>{status}</Badge>}
        actions={
          status === 'open' &&
          acts.map((one) => (
            <button
              key={one}
              type="button"
              class={one === 'reject' ? 'secondary outline' : undefined}
              onClick={() => setAct(one)}
            >
              {WORDS[one].verb} …
            </button>
          ))
        }
      >
        <Facts
          of={[
            ['Collection', collection],
            ['Found', <RelativeTime key="found" at={at} />],
            ['What it did', whatOf(edit)],
            ['Kept at', <code key="kept">{keptAt}</code>],
            ...decisions.map(
              (one) =>
                [
                  `${one.act}ed`,
                  <span key={one.at}>
                    <RelativeTime at={one.at} /> by {one.actor}: “{one.reason}”
                  </span>,
                ] as const,
            ),
          ]}
        />
      </Panel>
      <RecordsPanel of={edit} />
      {act !== null && (
        <ActDialog
          title={`${WORDS[act].verb} the edit`}
          verb={WORDS[act].verb}
          close={() => setAct(null)}
          act={async (reason) => {
            const path = `/external-edits/${encodeURIComponent(name)}/${act}`;
            const decided = await send<ShownEdit>('POST', path, { reason });
            reload();
            return sentenceOf(decided);
          }}
        >
          <p>{WORDS[act].sentence}</p>
          <p>
            {counted(records.length, 'record')}: {whatOf(edit)}.
          </p>
        </ActDialog>
      )}
    </>
  );
}

function sentenceOf({ status, conflicting, unfit }: ShownEdit): string {
  const left = conflicting.length + unfit.length;
  return status === 'open'
    ? `Adopted, but for ${counted(left, 'record')}; the edit stays open.`
    : `The edit is ${status}.`;
}

function RecordsPanel({ of: { records, collection, conflicting, status } }: { of: ShownEdit }) {
  const more = records.length - RECORDS_SHOWN;
  return (
    <Panel title="Record by record">
      {records.length === 0 && (
        <EmptyState
          title={
            status === 'open' ? 'It changed no record.' : 'It was decided about; nothing waits.'
          }
        />
      )}
      {records.slice(0, RECORDS_SHOWN).map(({ id, from, to, fits }, index) => (
        <details key={id ?? `new ${index}`} class="difference" open={records.length === 1}>
          <summary>
            {id === undefined ? 'A record without an id' : `${collection} ${id}`}{' '}
            <span class="quiet">
              {from === null ? 'added' : to === null ? 'removed' : 'changed'}
            </span>{' '}
            {!fits && <Badge tone="warn">PostgreSQL can’t hold it</Badge>}
            {id !== undefined && conflicting.includes(id) && (
              <Badge tone="warn">the primary has changed it, too</Badge>
            )}
          </summary>
          {id !== undefined && (
            <p>
              <RecordLink collection={collection} id={id} />
            </p>
          )}
          <FieldDiff
            caption={`What the edit made of ${id === undefined ? 'it' : `${collection} ${id}`}`}
            left="Before"
            right="Edited"
            fields={fieldsOf(from, to)}
          />
        </details>
      ))}
      {more > 0 && <p class="quiet">And {counted(more, 'more record', 'more records')}.</p>}
    </Panel>
  );
}
