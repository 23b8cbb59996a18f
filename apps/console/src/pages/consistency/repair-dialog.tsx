//   placed as a dry run ──▶ carried out by whoever holds the JSON store ──▶ shown ──▶ placed for good
//            └── nobody takes it, or the dialog is closed ──▶ withdrawn
import type { RepairResult } from '@tandem/storage/consistency';
import type { ComponentChildren } from 'preact';
import { type Asked, useAsked } from '../../api/asked.ts';
import { count } from '../../format.ts';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { ClassBadge } from '../../parts/divergence-words.tsx';
import { Loading } from '../../parts/empty-state.tsx';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { SubjectLink } from '../../parts/record-link.tsx';
import { awaitOrder, lookAt, placeOrder, repairResultOf } from './orders.ts';
import { repairedText } from './orders-panel.tsx';

/** A dry run that nobody carries out is given up. */
const DRY_RUN_PATIENCE_MS = 30_000;
/** A repair that takes longer is watched in the list of orders. */
const PATIENCE_MS = 10_000;
const ITEMS_SHOWN = 10;
/** More is confirmed by typing. */
const UNCONFIRMED_MAX = 1;

const ACTS: Readonly<Record<string, string>> = {
  rewrite: 'the primary’s record is written anew',
  bury: 'the secondary’s extra record is deleted for good',
  'take-over': 'the secondary’s content is written through the primary',
  'give-key': 'the key is given to the secondary',
  none: 'left alone',
};

/** Shows what a repair or a choice would do, and orders it. */
export function RepairDialog({
  title,
  path,
  body,
  close,
  done,
  children,
}: {
  title: string;
  path: '/repair' | '/divergences/resolve';
  /** Without reason and dry run. */
  body: object;
  close: () => void;
  done?: () => void;
  /** What it is about. */
  children?: ComponentChildren;
}) {
  const preview = useAsked(`${path} ${JSON.stringify(body)}`, (gone) =>
    lookAt(path, { ...body, reason: 'Shown in the console.' }, DRY_RUN_PATIENCE_MS, gone),
  );
  const planned = preview.state === 'answered' ? preview.answer.counts.planned : 0;
  return (
    <ActDialog
      title={title}
      verb={planned === 0 ? 'Repair' : `Repair ${count(planned)}`}
      close={close}
      confirmation={planned > UNCONFIRMED_MAX ? `repair ${planned}` : undefined}
      isBlocked={planned === 0}
      act={async (reason) => {
        const order = await awaitOrder(await placeOrder(path, { ...body, reason }), PATIENCE_MS);
        done?.();
        if (order.state === 'waiting' || order.state === 'taken') {
          return 'It is ordered; the list of orders says how far it is.';
        }
        return `The repair is over: ${repairedText(repairResultOf(order).counts)}.`;
      }}
    >
      {children}
      <Plan of={preview} />
    </ActDialog>
  );
}

function Plan({ of: preview }: { of: Asked<RepairResult> }) {
  if (preview.state === 'asking') return <Loading what="what it would do" />;
  if (preview.state === 'refused') return <ProblemNote problem={preview.problem} />;
  const { matched, counts, items } = preview.answer;
  return (
    <>
      <p>
        {count(matched)} meant: {repairedText(counts)}.
      </p>
      <ul class="plan">
        {items.slice(0, ITEMS_SHOWN).map((item) => (
          <li key={JSON.stringify(item.subject)}>
            <SubjectLink subject={item.subject} /> <ClassBadge of={item.class} />:{' '}
            {ACTS[item.act] ?? item.act}
            {item.why !== undefined && `; ${item.why}`}
          </li>
        ))}
        {matched > ITEMS_SHOWN && <li>and {count(matched - ITEMS_SHOWN)} more</li>}
      </ul>
    </>
  );
}
