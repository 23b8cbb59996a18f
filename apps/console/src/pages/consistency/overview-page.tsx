import type { ExternalEdit } from '@tandem/storage/changes';
import { useResource } from '../../api/resource.ts';
import { BudgetsPanel } from './budgets-panel.tsx';
import { EditsPanel } from './edits-panel.tsx';
import { Figures } from './figures.tsx';
import { LedgerPanel } from './ledger-panel.tsx';
import { OrdersPanel } from './orders-panel.tsx';
import { ReadinessPanel } from './readiness-panel.tsx';
import { RunsPanel } from './runs-panel.tsx';

const EDITS_INTERVAL_MS = 10_000;

export function OverviewPage() {
  const edits = useResource<readonly ExternalEdit[]>('/external-edits', {
    everyMs: EDITS_INTERVAL_MS,
  });
  return (
    <>
      <Figures edits={edits.value} />
      <OrdersPanel />
      <LedgerPanel />
      <RunsPanel />
      <ReadinessPanel />
      <EditsPanel of={edits} />
      <BudgetsPanel />
    </>
  );
}
