import { useState } from 'preact/hooks';
import { useResource } from '../../api/resource.ts';
import { snapshot } from '../../api/snapshot.ts';
import {
  askedFor,
  Filters,
  InstantFilter,
  SelectFilter,
  TextFilter,
} from '../../parts/filters.tsx';
import { Read } from '../../parts/read.tsx';
import { GroupsPanel } from './groups-panel.tsx';
import type { AskedAct, LetterGroups } from './letters.ts';
import { LettersDialog } from './letters-dialog.tsx';
import { LettersPanel } from './letters-panel.tsx';
import { NoLetters } from './no-letters.tsx';

/** Members of the address that the API's filter has, too. */
const FILTERS = [
  ...['direction', 'collection', 'recordId', 'fingerprint', 'cause'],
  ...['newerThan', 'olderThan', 'contains'],
];
const READ_INTERVAL_MS = 5_000;

/** Every dead letter that the filters mean, by kind of failure and one by one. */
export function LettersPage() {
  const [asked, setAsked] = useState<AskedAct | null>(null);
  const [round, setRound] = useState(0);
  const query = askedFor(FILTERS);
  const filter = Object.fromEntries(query);
  const groups = useResource<LetterGroups>(`/dead-letters/groups?${query}`, {
    everyMs: READ_INTERVAL_MS,
  });
  const isNarrowed = query.size > 0;
  const done = () => {
    groups.reload();
    setRound((last) => last + 1);
  };
  return (
    <>
      <LetterFilters />
      <Read of={groups} what="the failed jobs">
        {(found) =>
          found.total === 0 ? (
            <NoLetters isNarrowed={isNarrowed} />
          ) : (
            <>
              <GroupsPanel of={found} filter={filter} ask={setAsked} />
              <LettersPanel key={round} filter={filter} ask={setAsked} />
            </>
          )
        }
      </Read>
      {asked !== null && <LettersDialog {...asked} close={() => setAsked(null)} done={done} />}
    </>
  );
}

function LetterFilters() {
  const collections = snapshot.value?.collections ?? [];
  return (
    <Filters>
      <SelectFilter
        label="Queue"
        name="direction"
        options={[
          ['postgres', 'to PostgreSQL'],
          ['json', 'to JSON'],
        ]}
      />
      <SelectFilter
        label="Collection"
        name="collection"
        options={collections.map((name) => [name, name])}
      />
      <TextFilter label="Record id" name="recordId" isNumber />
      <TextFilter label="Carries the text" name="contains" hint="a part of it" />
      <InstantFilter label="Failed since" name="newerThan" />
      <InstantFilter label="Failed before" name="olderThan" />
    </Filters>
  );
}
