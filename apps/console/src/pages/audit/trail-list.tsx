import type { AuditTrailEntry } from '@tandem/storage/postgres';
import { count, counted } from '../../format.ts';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { JsonText } from '../../parts/json-text.tsx';
import { RecordLink } from '../../parts/record-link.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { reasonOfMove } from '../../words.ts';
import { ACTIONS } from './actions.ts';

/** What the system does to the phase, for reasons of its own. */
const MOVES: readonly string[] = ['move-phase', 'keep-phase'];
/** Records that one row names. */
const RECORDS_SHOWN = 5;

const COLUMNS: readonly TableColumn<AuditTrailEntry>[] = [
  { name: 'At', cell: ({ at }) => <RelativeTime at={at} /> },
  {
    name: 'What',
    cell: ({ action }) => <strong>{ACTIONS[action] ?? action}</strong>,
  },
  { name: 'To what', cell: (entry) => <Target of={entry} /> },
  { name: 'Who', cell: ({ actor }) => actor },
  {
    name: 'Why',
    cell: ({ action, reason }) => (MOVES.includes(action) ? reasonOfMove(reason) : reason),
  },
];

export const TrailList = ({ entries }: { entries: readonly AuditTrailEntry[] }) => (
  <div class="panel">
    <DataTable caption="What was done" columns={COLUMNS} rows={entries} keyOf={({ id }) => id} />
  </div>
);

interface RecordName {
  readonly collection: string;
  readonly id: number;
}

function Target({ of: { details, detailsBytes, letters } }: { of: AuditTrailEntry }) {
  const records = details === null ? [] : recordsOf(details);
  return (
    <>
      {phaseOf(details)}
      {letters !== null && <span>{counted(letters, 'letter')} </span>}
      {records.slice(0, RECORDS_SHOWN).map((record) => (
        <span key={`${record.collection} ${record.id}`}>
          <RecordLink {...record} />{' '}
        </span>
      ))}
      {details === null ? (
        <span class="quiet">{count(detailsBytes)} bytes of details in audit_log</span>
      ) : (
        <JsonText summary="Details" value={details} />
      )}
    </>
  );
}

function phaseOf(details: AuditTrailEntry['details']) {
  const { desired, from, to } = details ?? {};
  if (typeof desired === 'string') return <span>{desired} </span>;
  if (typeof from !== 'string' || typeof to !== 'string' || from === to) return null;
  return (
    <span>
      {from} → {to}{' '}
    </span>
  );
}

/** Records that details name by themselves, in their scope, or in their letters. */
function recordsOf(details: Readonly<Record<string, unknown>>): readonly RecordName[] {
  const { scope, letters } = details;
  const places = [details, scope, ...(Array.isArray(letters) ? letters : [])];
  const named = places.flatMap((place) => recordOf(place) ?? []);
  return [...new Map(named.map((one) => [`${one.collection} ${one.id}`, one])).values()];
}

function recordOf(value: unknown): RecordName | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const { collection, id, data } = value as Readonly<Record<string, unknown>>;
  if (typeof collection === 'string' && typeof id === 'number') return { collection, id };
  const { change } = (data ?? {}) as { readonly change?: unknown };
  return change === undefined ? undefined : recordOf(change);
}
