import type { DivergenceBudget } from '@tandem/storage/consistency';
import { useState } from 'preact/hooks';
import { send } from '../../api/client.ts';
import { useResource } from '../../api/resource.ts';
import { snapshot } from '../../api/snapshot.ts';
import { count } from '../../format.ts';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { DataTable, type TableColumn } from '../../parts/data-table.tsx';
import { Panel } from '../../parts/panel.tsx';
import { Read } from '../../parts/read.tsx';

/** How many open differences keep no gate closed. */
export function BudgetsPanel() {
  const [chosen, setChosen] = useState<DivergenceBudget | null>(null);
  const budgets = useResource<readonly DivergenceBudget[]>('/divergences/budgets');
  const columns: readonly TableColumn<DivergenceBudget>[] = [
    { name: 'Collection', cell: ({ collection }) => collection },
    { name: 'Open', cell: ({ open }) => count(open), isNumber: true },
    { name: 'Allowed', cell: ({ allowed }) => count(allowed), isNumber: true },
    {
      name: 'Act',
      isNameHidden: true,
      cell: (budget) => (
        <button type="button" class="secondary outline" onClick={() => setChosen(budget)}>
          Allow …<span class="only-read"> differences of {budget.collection}</span>
        </button>
      ),
    },
  ];
  return (
    <Panel
      title="Allowed differences"
      note={<span class="quiet">more close the gate of a switch</span>}
    >
      <Read of={budgets} what="what is allowed">
        {(found) => (
          <DataTable
            caption="Allowed differences"
            columns={columns}
            rows={withAll(found)}
            keyOf={({ collection }) => collection}
          />
        )}
      </Read>
      {chosen !== null && (
        <BudgetDialog of={chosen} close={() => setChosen(null)} done={budgets.reload} />
      )}
    </Panel>
  );
}

/** Collections without open differences and without a budget are allowed none. */
function withAll(found: readonly DivergenceBudget[]): readonly DivergenceBudget[] {
  const known = new Set(found.map(({ collection }) => collection));
  const others = (snapshot.value?.collections ?? []).filter((name) => !known.has(name));
  return [...found, ...others.map((collection) => ({ collection, open: 0, allowed: 0 }))];
}

function BudgetDialog({
  of: { collection, allowed: before },
  close,
  done,
}: {
  of: DivergenceBudget;
  close: () => void;
  done: () => void;
}) {
  const [allowed, setAllowed] = useState(`${before}`);
  const isNumber = /^\d{1,6}$/.test(allowed);
  return (
    <ActDialog
      title={`Allow differences of ${collection}`}
      verb={isNumber ? `Allow ${allowed}` : 'Allow'}
      close={close}
      isBlocked={!isNumber}
      act={async (reason) => {
        const path = `/divergences/budgets/${encodeURIComponent(collection)}`;
        await send('PUT', path, { allowed: Number(allowed), reason });
        done();
        return `${collection} may have ${allowed} open differences.`;
      }}
    >
      <p>
        So many open differences keep no gate closed. Forks and conflicts have a gate of their own.
      </p>
      <label>
        How many
        <input
          type="text"
          inputMode="numeric"
          value={allowed}
          onInput={({ currentTarget }) => setAllowed(currentTarget.value)}
        />
      </label>
    </ActDialog>
  );
}
