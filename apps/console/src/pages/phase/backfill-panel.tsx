import type { BackfillOrder, BackfillReport } from '@tandem/storage/phase';
import { useState } from 'preact/hooks';
import { send } from '../../api/client.ts';
import { count } from '../../format.ts';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { Meter } from '../../parts/meter.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { WithdrawDialog, withWithdrawal } from '../../parts/withdraw-order.tsx';
import { STORE_NAMES } from '../../words.ts';

/** Orders of the list. */
const SHOWN = 5;

const STATES: Readonly<Record<BackfillOrder['state'], Tone>> = {
  waiting: 'info',
  taken: 'info',
  done: 'good',
  failed: 'bad',
  withdrawn: 'quiet',
};

const COLUMNS: readonly TableColumn<BackfillOrder>[] = [
  {
    name: 'State',
    cell: ({ state, result }) => (
      <Badge tone={(result?.remaining ?? 0) > 0 ? 'warn' : STATES[state]}>{state}</Badge>
    ),
  },
  { name: 'Asked', cell: ({ askedAt }) => <RelativeTime at={askedAt} /> },
  { name: 'By', cell: ({ actor }) => actor },
  { name: 'Reason', cell: ({ reason }) => reason },
  { name: 'Result', cell: resultOf },
];

/** How complete the other store is, and what brings it up to date. */
export function BackfillPanel({ report }: { report: BackfillReport }) {
  const [isAsking, setAsking] = useState(false);
  const [withdrawing, setWithdrawing] = useState<number | null>(null);
  const { towards, catchUpSince, running, asked } = report;
  if (towards === null) return null;
  const name = STORE_NAMES[towards];
  const isComplete = catchUpSince === null && running.length === 0;
  const shown = asked.slice(0, SHOWN);
  return (
    <Panel
      title={`Backfill of ${name}`}
      note={
        <Badge tone={isComplete ? 'good' : 'info'}>{isComplete ? 'complete' : 'under way'}</Badge>
      }
      actions={
        <button type="button" class="secondary outline" onClick={() => setAsking(true)}>
          Ask for a backfill …
        </button>
      }
    >
      {catchUpSince !== null && (
        <p>
          {name} has been behind since <RelativeTime at={catchUpSince} />; it is brought up by
          difference, by itself.
        </p>
      )}
      {running.map((one) => (
        <Meter key={one.process} label={`Backfill by ${one.process}`} {...one} />
      ))}
      {shown.length > 0 ? (
        <DataTable
          caption="Backfills that were asked for"
          columns={withWithdrawal(COLUMNS, shown, setWithdrawing)}
          rows={shown}
          keyOf={({ id }) => id}
        />
      ) : (
        <p class="quiet">None was asked for. What {name} lacks is brought to it by itself.</p>
      )}
      {withdrawing !== null && (
        <WithdrawDialog id={withdrawing} close={() => setWithdrawing(null)} />
      )}
      {isAsking && (
        <ActDialog
          title={`Backfill ${name}`}
          verb="Ask for the backfill"
          close={() => setAsking(false)}
          act={async (reason) => {
            const { joined } = await send<{ joined: boolean }>('POST', '/backfill', { reason });
            return joined ? 'One was asked for already.' : 'The backfill is asked for.';
          }}
        >
          <p>
            Everything in both stores is compared, and {name} is given what it lacks. The service
            goes on; it gives way to requests.
          </p>
        </ActDialog>
      )}
    </Panel>
  );
}

function resultOf({ state, result, problem, takenBy }: BackfillOrder) {
  if (problem !== null) return problem;
  if (state === 'withdrawn') return <span class="quiet">nothing was done</span>;
  if (result === null) return takenBy === null ? 'waits for a process' : `in hand of ${takenBy}`;
  const { seen, applied, remaining } = result;
  return `${count(seen)} compared, ${count(applied)} written, ${count(remaining)} left`;
}
