import type { StoreName } from '@tandem/storage/phase';
import type { RecordXray, StoreSide } from '@tandem/storage/xray';
import { count } from '../../format.ts';
import { Badge } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { stampText } from '../../parts/stamp.ts';
import { STORE_NAMES } from '../../words.ts';

interface SideRow {
  readonly store: StoreName;
  readonly role: string;
  readonly side: StoreSide;
}

const STATES = { live: 'live', deleted: 'deleted', none: 'not there' } as const;

const COLUMNS: readonly TableColumn<SideRow>[] = [
  {
    name: 'Store',
    cell: ({ store, role }) => (
      <>
        <strong>{STORE_NAMES[store]}</strong> <span class="quiet">{role}</span>
      </>
    ),
  },
  {
    name: 'State',
    cell: ({ side }) => {
      if (!side.readable) return <Badge tone="bad">can’t be read: {side.problem}</Badge>;
      if (side.mappingError) return <Badge tone="warn">{STATES[side.state]}, mapping error</Badge>;
      return STATES[side.state];
    },
  },
  {
    name: 'Version',
    cell: ({ side }) => (side.readable ? stampText(side.stamp) : '–'),
  },
  {
    name: 'Made from',
    cell: ({ side }) =>
      side.readable && side.base !== undefined ? stampText(side.base, 'nothing') : '–',
  },
  { name: 'Phase of the store', cell: ({ side }) => (side.readable ? side.phase : '–') },
  {
    name: 'Epoch',
    cell: ({ side }) => (side.readable ? count(side.epoch) : '–'),
    isNumber: true,
  },
];

/** How the record stands in each store. */
export function SidesTable({ of: { json, postgres, primary, secondary } }: { of: RecordXray }) {
  const roleOf = (store: StoreName): string => {
    if (store === primary) return 'primary';
    return store === secondary ? 'secondary' : 'not written';
  };
  const rows: readonly SideRow[] = [
    { store: 'json', role: roleOf('json'), side: json },
    { store: 'postgres', role: roleOf('postgres'), side: postgres },
  ];
  return (
    <DataTable caption="Both stores" columns={COLUMNS} rows={rows} keyOf={({ store }) => store} />
  );
}
