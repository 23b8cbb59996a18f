import type { LedgerEntry } from '@tandem/storage/consistency';
import { useState } from 'preact/hooks';
import { useResource } from '../../api/resource.ts';
import { ClassBadge, EntryState, sentenceOfClass } from '../../parts/divergence-words.tsx';
import { Facts } from '../../parts/facts.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Read } from '../../parts/read.tsx';
import { SubjectLink } from '../../parts/record-link.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { stampText } from '../../parts/stamp.ts';
import { hrefOf } from '../../router.ts';
import { STORE_NAMES } from '../../words.ts';
import { AcceptDialog } from './accept-dialog.tsx';
import { RepairDialog } from './repair-dialog.tsx';
import { TwoSides } from './two-sides.tsx';

const READ_INTERVAL_MS = 3_000;

type Act = 'repair' | 'primary' | 'secondary' | 'accept';

const VERBS: Readonly<Record<Act, string>> = {
  repair: 'Repair from the primary',
  primary: 'Keep the primary’s side',
  secondary: 'Keep the secondary’s side',
  accept: 'Accept as it is',
};

/** One difference with both sides, and what can be done about it. */
export function DivergencePage({ id }: { id: string }) {
  const entry = useResource<LedgerEntry>(`/divergences/${encodeURIComponent(id)}`, {
    everyMs: READ_INTERVAL_MS,
  });
  return (
    <>
      <p>
        <a href={hrefOf('consistency')}>← Consistency</a>
      </p>
      <Read of={entry} what={`difference ${id}`}>
        {(found) => <EntryPanel of={found} reload={entry.reload} />}
      </Read>
    </>
  );
}

/** Forks and conflicts wait for a choice; what else differs is repaired from the primary. */
function actsFor({ class: name, resolvedAt, subject }: LedgerEntry): readonly Act[] {
  if (resolvedAt !== null) return [];
  if (name === 'fork' || name === 'conflict' || 'key' in subject) {
    return ['primary', 'secondary', 'accept'];
  }
  return ['repair', 'accept'];
}

function EntryPanel({ of: entry, reload }: { of: LedgerEntry; reload: () => void }) {
  const [act, setAct] = useState<Act | null>(null);
  const { id, kind, subject, into, detail, foundBy, firstSeen, lastSeen, lastRun, reason } = entry;
  const close = () => setAct(null);
  return (
    <Panel
      title={`Difference ${id}`}
      note={<ClassBadge of={entry.class} />}
      actions={actsFor(entry).map((one) => (
        <button
          key={one}
          type="button"
          class={one === 'accept' ? 'secondary outline' : undefined}
          onClick={() => setAct(one)}
        >
          {VERBS[one]} …
        </button>
      ))}
    >
      <p>{sentenceOfClass(entry.class)}</p>
      <Facts
        of={[
          ['Of', <SubjectLink key="subject" subject={subject} />],
          ['State', <EntryState key="state" of={entry} />],
          ...(reason === null ? [] : ([['Reason', reason]] as const)),
          ['Kind', detail === undefined ? kind : `${kind}: ${detail}`],
          ['Secondary', STORE_NAMES[into]],
          ['Versions', `${stampOf(entry.primary)} / ${stampOf(entry.secondary)}`],
          ['Found by', foundBy],
          ['First seen', <RelativeTime key="first" at={firstSeen} />],
          ['Last seen', <RelativeTime key="last" at={lastSeen} />],
          [
            'By run',
            lastRun === null ? (
              '–'
            ) : (
              <a key="run" href={hrefOf('consistency', ['runs', lastRun])}>
                Run {lastRun}
              </a>
            ),
          ],
        ]}
      />
      <h3>Both sides</h3>
      <TwoSides of={entry} into={into} />
      {act === 'accept' && <AcceptDialog ids={[id]} close={close} done={reload} />}
      {act === 'repair' && 'collection' in subject && (
        <RepairDialog
          title={`Repair ${subject.collection} ${subject.id}`}
          path="/repair"
          body={subject}
          close={close}
          done={reload}
        >
          <TwoSides of={entry} into={into} />
        </RepairDialog>
      )}
      {(act === 'primary' || act === 'secondary') && (
        <RepairDialog
          title={VERBS[act]}
          path="/divergences/resolve"
          body={{ ids: [id], keep: act }}
          close={close}
          done={reload}
        >
          <TwoSides of={entry} into={into} />
        </RepairDialog>
      )}
    </Panel>
  );
}

const stampOf = (side: LedgerEntry['primary']): string =>
  side?.epoch === undefined || side.version === undefined
    ? 'nothing'
    : stampText({ epoch: side.epoch, version: side.version });
