import type { RecordXray } from '@tandem/storage/xray';
import { useState } from 'preact/hooks';
import { useResource } from '../api/resource.ts';
import { snapshot } from '../api/snapshot.ts';
import { EmptyState } from '../parts/empty-state.tsx';
import { Read } from '../parts/read.tsx';
import { goTo, hrefOf, route } from '../router.ts';
import { RecordView } from './records/record-view.tsx';

/** A record that somebody looks at is read again this often. */
const READ_INTERVAL_MS = 3_000;

/** One record wherever it stands, found by collection and id. */
export function RecordsPage() {
  const [collection = '', id = ''] = route.value.rest;
  const isNamed = collection !== '' && id !== '';
  return (
    <>
      <Finder key={`${collection} ${id}`} collection={collection} id={id} />
      {isNamed ? (
        <Found collection={collection} id={id} />
      ) : (
        <EmptyState title="Which record?">
          Name one by collection and id: both stores, journal, queue and ledger are looked through.
          Records that other pages name lead here, too.
        </EmptyState>
      )}
    </>
  );
}

function Found({ collection, id }: { collection: string; id: string }) {
  const path = `/records/${encodeURIComponent(collection)}/${encodeURIComponent(id)}`;
  const found = useResource<RecordXray>(path, { everyMs: READ_INTERVAL_MS });
  return (
    <Read of={found} what={`${collection} ${id}`}>
      {(record) => <RecordView of={record} />}
    </Read>
  );
}

function Finder({ collection: first, id: firstId }: { collection: string; id: string }) {
  const collections = snapshot.value?.collections ?? [];
  const [chosen, setChosen] = useState(first);
  const [id, setId] = useState(firstId);
  const collection = chosen === '' ? (collections[0] ?? '') : chosen;
  const names = collections.includes(collection) ? collections : [collection, ...collections];
  const find = (event: Event) => {
    event.preventDefault();
    goTo(hrefOf('records', [collection, id.trim()]));
  };
  return (
    <search>
      <form class="filters" onSubmit={find}>
        <label>
          Collection
          <select
            value={collection}
            onChange={({ currentTarget }) => setChosen(currentTarget.value)}
          >
            {names.map((name) => (
              <option key={name} value={name}>
                {name}
              </option>
            ))}
          </select>
        </label>
        <label>
          Id
          <input
            type="number"
            min={1}
            required
            value={id}
            onInput={({ currentTarget }) => setId(currentTarget.value)}
          />
        </label>
        <button type="submit">Look</button>
      </form>
    </search>
  );
}
