import type { ConsistencyOrder } from '@tandem/storage/consistency';
import { useEffect, useState } from 'preact/hooks';
import { useResource } from '../../api/resource.ts';
import { count } from '../../format.ts';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { Badge, type Tone } from '../../parts/badge.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RecordLink } from '../../parts/record-link.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { WithdrawDialog, withWithdrawal } from '../../parts/withdraw-order.tsx';
import { hrefOf } from '../../router.ts';
import { isOver, ordersPlaced, placeOrder } from './orders.ts';

const WATCH_INTERVAL_MS = 1_000;
const READ_INTERVAL_MS = 5_000;
const SHOWN = 5;

const STATES: Readonly<Record<ConsistencyOrder['state'], readonly [Tone, string]>> = {
  waiting: ['info', 'waits'],
  taken: ['info', 'under way'],
  done: ['good', 'done'],
  failed: ['bad', 'failed'],
  withdrawn: ['quiet', 'withdrawn'],
};

const COLUMNS: readonly TableColumn<ConsistencyOrder>[] = [
  {
    name: 'State',
    cell: ({ state }) => <Badge tone={STATES[state][0]}>{STATES[state][1]}</Badge>,
  },
  { name: 'What', cell: (order) => <What of={order} /> },
  { name: 'Asked', cell: ({ askedAt }) => <RelativeTime at={askedAt} /> },
  { name: 'By', cell: ({ actor }) => actor },
  { name: 'Reason', cell: ({ reason }) => reason },
  { name: 'Result', cell: (order) => <Result of={order} /> },
];

/** Starts comparisons, and shows what was ordered and how far it is. */
export function OrdersPanel() {
  const [mode, setMode] = useState<'changed' | 'full' | null>(null);
  const [withdrawing, setWithdrawing] = useState<number | null>(null);
  const [everyMs, setEveryMs] = useState(READ_INTERVAL_MS);
  const verifies = useOrders('verify', everyMs);
  const repairs = useOrders('repair', everyMs);
  const orders = [...(verifies.value ?? []), ...(repairs.value ?? [])]
    .filter(({ what, state }) => what.kind !== 'repair' || !what.dryRun || state === 'waiting')
    .sort((one, other) => other.id - one.id)
    .slice(0, SHOWN);
  const isUnderWay = orders.some((order) => !isOver(order));
  useEffect(() => setEveryMs(isUnderWay ? WATCH_INTERVAL_MS : READ_INTERVAL_MS), [isUnderWay]);
  return (
    <Panel
      title="Compare and repair"
      actions={
        <>
          <button type="button" onClick={() => setMode('changed')}>
            Compare what changed …
          </button>
          <button type="button" class="secondary outline" onClick={() => setMode('full')}>
            Compare everything …
          </button>
        </>
      }
    >
      {orders.length === 0 ? (
        <EmptyState title="Nothing was ordered lately.">
          The stores are also compared by themselves: what changed every few minutes, everything
          once a day, unless that was switched off.
        </EmptyState>
      ) : (
        <DataTable
          caption="What was ordered"
          columns={withWithdrawal(COLUMNS, orders, setWithdrawing)}
          rows={orders}
          keyOf={({ id }) => id}
        />
      )}
      {mode !== null && <VerifyDialog mode={mode} close={() => setMode(null)} />}
      {withdrawing !== null && (
        <WithdrawDialog
          id={withdrawing}
          close={() => setWithdrawing(null)}
          done={() => {
            ordersPlaced.value += 1;
          }}
        />
      )}
    </Panel>
  );
}

function useOrders(kind: 'verify' | 'repair', everyMs: number) {
  const orders = useResource<readonly ConsistencyOrder[]>(`/orders?kind=${kind}&limit=20`, {
    everyMs,
  });
  const placed = ordersPlaced.value;
  useEffect(() => {
    if (placed > 0) orders.reload();
  }, [placed]);
  return orders;
}

function VerifyDialog({ mode, close }: { mode: 'changed' | 'full'; close: () => void }) {
  const isFull = mode === 'full';
  return (
    <ActDialog
      title={isFull ? 'Compare everything' : 'Compare what changed'}
      verb="Compare"
      close={close}
      act={async (reason) => {
        await placeOrder('/verify', { mode, reason });
        return 'The comparison is ordered.';
      }}
    >
      <p>
        {isFull
          ? 'Every record and idempotency key of both stores is compared. '
          : 'What was written since it was compared last is compared. '}
        The service goes on; nothing is locked.
      </p>
    </ActDialog>
  );
}

function What({ of: { what } }: { of: ConsistencyOrder }) {
  if (what.kind === 'verify')
    return <>{what.mode === 'full' ? 'compare everything' : 'compare what changed'}</>;
  if (what.kind !== 'repair') return <>{what.kind}</>;
  const { scope, keep, dryRun } = what;
  const act = keep === null ? 'repair' : `keep the ${keep}’s side of`;
  const kept = dryRun ? `dry run: ${act}` : act;
  if ('runId' in scope) {
    return (
      <>
        {kept} <a href={hrefOf('consistency', ['runs', scope.runId])}>run {scope.runId}</a>
      </>
    );
  }
  if ('entryIds' in scope) return <>{`${kept} ${count(scope.entryIds.length)} of the list`}</>;
  return (
    <>
      {kept} <RecordLink {...scope} />
    </>
  );
}

function Result({ of: { state, takenBy, progress, result } }: { of: ConsistencyOrder }) {
  if (result !== null) {
    if ('problem' in result) return <>{result.problem}</>;
    if ('runId' in result) {
      return <a href={hrefOf('consistency', ['runs', result.runId])}>{result.outcome}</a>;
    }
    if ('matched' in result) return <>{repairedText(result.counts)}</>;
  }
  if (state === 'waiting') return <span class="quiet">waits for a process</span>;
  if (state === 'withdrawn') return <span class="quiet">nothing was done</span>;
  const of = takenBy ?? 'a process';
  if (progress === null || !('total' in progress)) return <>in hand of {of}</>;
  const { done, total } = progress;
  return (
    <>
      <progress value={done} max={Math.max(1, total)} aria-label={`How far ${of} is`} />
      {count(done)} of {count(total)}
    </>
  );
}

const WORDS = {
  planned: 'planned',
  repaired: 'repaired',
  'on-its-way': 'on the way',
  agreed: 'agree already',
  left: 'left alone',
  failed: 'failed',
} as const;

/** `3 repaired, 1 left alone`. */
export function repairedText(counts: Readonly<Record<string, number>>): string {
  const told = Object.entries(WORDS)
    .filter(([name]) => (counts[name] ?? 0) > 0)
    .map(([name, word]) => `${count(counts[name])} ${word}`);
  return told.length === 0 ? 'nothing to do' : told.join(', ');
}
