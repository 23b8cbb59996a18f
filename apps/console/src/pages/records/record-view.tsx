import type { RecordXray } from '@tandem/storage/xray';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { FieldDiff } from '../../parts/field-diff.tsx';
import { Panel } from '../../parts/panel.tsx';
import { STORE_NAMES } from '../../words.ts';
import { ActsPanel } from './acts-panel.tsx';
import { DivergencesPanel } from './divergences-panel.tsx';
import { HistoryPanel } from './history-panel.tsx';
import { JobsPanel } from './jobs-panel.tsx';
import { KeysPanel } from './keys-panel.tsx';
import { SidesTable } from './sides-table.tsx';

/** All that is known of one record, wherever it stands. */
export function RecordView({ of: record }: { of: RecordXray }) {
  return (
    <>
      <BothSides of={record} />
      <JobsPanel of={record} />
      <DivergencesPanel entries={record.divergences} />
      <HistoryPanel history={record.history} />
      <ActsPanel acts={record.acts} />
      <KeysPanel keys={record.keys} />
    </>
  );
}

/** What both stores hold, with one sentence on why they differ. */
export function BothSides({ of: record }: { of: RecordXray }) {
  const { collection, id, fields, verdict, same } = record;
  const [tone, word] = standingOf(same);
  return (
    <Panel title={`${collection} ${id}`} note={<Badge tone={tone}>{word}</Badge>}>
      <p>{verdict}</p>
      <SidesTable of={record} />
      {fields.length === 0 ? (
        <EmptyState title="Neither store has fields of it." />
      ) : (
        <FieldDiff
          caption={`Fields of ${collection} ${id} in both stores`}
          left={STORE_NAMES.json}
          right={STORE_NAMES.postgres}
          fields={fields.map(({ json, postgres, ...field }) => ({
            ...{ ...field, left: json, right: postgres },
          }))}
        />
      )}
    </Panel>
  );
}

function standingOf(same: boolean | null): readonly [Tone, string] {
  if (same === null) return ['quiet', 'not known'];
  return same ? ['good', 'the same'] : ['warn', 'they differ'];
}
