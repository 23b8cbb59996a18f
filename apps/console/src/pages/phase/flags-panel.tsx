import type { FlagName, FlagResolution } from '@tandem/storage/phase';
import { snapshot } from '../../api/snapshot.ts';
import { Badge } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { Panel } from '../../parts/panel.tsx';

type Flag = FlagResolution & { readonly name: FlagName };

const CHANGEABLE: Readonly<Record<FlagResolution['source'], string>> = {
  environment: 'No: the environment of a process locks it.',
  table: 'Yes: by asking for a phase.',
  default: 'Yes: by asking for a phase.',
  'last-known': 'Once the table can be read again.',
};

const COLUMNS: readonly TableColumn<Flag>[] = [
  { name: 'Flag', cell: ({ name }) => <code>{name}</code> },
  {
    name: 'Value',
    cell: ({ value }) => <Badge tone={value ? 'info' : 'quiet'}>{value ? 'on' : 'off'}</Badge>,
  },
  { name: 'Source', cell: ({ source }) => source },
  { name: 'Why', cell: ({ reason }) => reason },
  { name: 'Can be changed here?', cell: ({ source }) => CHANGEABLE[source] },
];

/** The two flags that ask for the phase, with where each value comes from. */
export function FlagsPanel() {
  const { migration, api } = snapshot.value ?? {};
  const flags = migration?.phase.flags ?? api?.flags;
  if (flags === undefined) return null;
  const rows = (Object.keys(flags) as FlagName[]).map((name) => ({ name, ...flags[name] }));
  return (
    <Panel title="Flags">
      <DataTable caption="Flags" columns={COLUMNS} rows={rows} keyOf={({ name }) => name} />
    </Panel>
  );
}
