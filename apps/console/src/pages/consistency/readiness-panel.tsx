import { snapshot } from '../../api/snapshot.ts';
import { count } from '../../format.ts';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { ClassBadge } from '../../parts/divergence-words.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RecordLink } from '../../parts/record-link.tsx';

type Failure = NonNullable<
  NonNullable<NonNullable<typeof snapshot.value>['trust']>['readiness']
>['first'][number];

const COLUMNS: readonly TableColumn<Failure>[] = [
  { name: 'Record', cell: (one) => <RecordLink {...one} /> },
  {
    name: 'What',
    cell: ({ field }) => (field === null ? 'the whole record' : <code>{field}</code>),
  },
  { name: 'Class', cell: (one) => <ClassBadge of={one.class} /> },
];

/** What would not come back unchanged from a way to the other store and back. */
export function ReadinessPanel() {
  const readiness = snapshot.value?.trust?.readiness ?? null;
  if (readiness === null) return null;
  const { total, failing, first } = readiness;
  return (
    <Panel title="Rollback readiness" note={<span class="quiet">as of the last comparison</span>}>
      {failing === 0 ? (
        <EmptyState isGood title={`All ${count(total)} records would come back unchanged.`} />
      ) : (
        <>
          <p>
            {count(failing)} of {count(total)} would not come back unchanged from the other store.
          </p>
          <DataTable
            caption="What would not come back"
            columns={COLUMNS}
            rows={first}
            keyOf={({ collection, id, field }) => `${collection} ${id} ${field}`}
          />
          {first.length < failing && <p class="quiet">The first of them.</p>}
        </>
      )}
    </Panel>
  );
}
