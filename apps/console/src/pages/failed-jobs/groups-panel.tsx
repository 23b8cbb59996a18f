import { count, counted } from '../../format.ts';
import { Badge } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { replaceQuery } from '../../router.ts';
import { STORE_NAMES } from '../../words.ts';
import {
  ACTS,
  type ActWords,
  type AskedAct,
  type LetterGroup,
  type LetterGroups,
} from './letters.ts';

/** How many there are of each kind of failure, and what can be done about all of a kind. */
export function GroupsPanel({
  of: { groups, total, groupCount },
  filter,
  ask,
}: {
  of: LetterGroups;
  filter: Readonly<Record<string, string>>;
  ask: (act: AskedAct) => void;
}) {
  const askAbout = (words: ActWords, { fingerprint, direction, template }: LetterGroup) =>
    ask({
      words,
      meant: { filter: { ...filter, fingerprint, direction } },
      what: `all that failed with “${template}”`,
    });
  const columns: readonly TableColumn<LetterGroup>[] = [
    { name: 'Letters', cell: (group) => count(group.count), isNumber: true },
    { name: 'Cause', cell: ({ cause }) => <Badge tone="bad">{cause}</Badge> },
    {
      name: 'Error',
      cell: ({ template }) => (
        <span class="clipped" title={template}>
          {template}
        </span>
      ),
    },
    { name: 'To', cell: ({ direction }) => STORE_NAMES[direction] },
    { name: 'Collections', cell: ({ collections }) => collections.join(', ') },
    {
      name: 'First, last',
      cell: ({ firstSince, lastSince }) => (
        <>
          <RelativeTime at={firstSince} />
          <br />
          <RelativeTime at={lastSince} />
        </>
      ),
    },
    {
      name: 'Acts',
      isNameHidden: true,
      cell: (group) => (
        <div class="row-acts">
          <OnlyThese of={group} isChosen={filter.fingerprint === group.fingerprint} />
          <button
            type="button"
            class="secondary outline"
            onClick={() => askAbout(ACTS.redrive, group)}
          >
            Redrive …<span class="only-read"> all of this kind</span>
          </button>
          <button
            type="button"
            class="secondary outline"
            onClick={() => askAbout(ACTS.discard, group)}
          >
            Discard …<span class="only-read"> all of this kind</span>
          </button>
        </div>
      ),
    },
  ];
  return (
    <Panel
      title="By kind of failure"
      note={
        <span class="quiet">
          {counted(total, 'letter')}, {counted(groupCount, 'kind')}
        </span>
      }
    >
      <DataTable
        caption="Failed jobs by kind of failure"
        columns={columns}
        rows={groups}
        keyOf={({ direction, fingerprint }) => `${direction} ${fingerprint}`}
      />
      {groupCount > groups.length && <p class="quiet">The largest {count(groups.length)} kinds.</p>}
    </Panel>
  );
}

const OnlyThese = ({ of: { fingerprint }, isChosen }: { of: LetterGroup; isChosen: boolean }) => (
  <button
    type="button"
    class="secondary outline"
    aria-pressed={isChosen}
    onClick={() => replaceQuery({ fingerprint: isChosen ? '' : fingerprint })}
  >
    {isChosen ? 'Show all kinds' : 'Show these'}
  </button>
);
