import type { Phase } from '@tandem/storage/phase';
import { useState } from 'preact/hooks';
import { desiredPhase, effectivePhase, isMoving, snapshot } from '../api/snapshot.ts';
import { Loading } from '../parts/empty-state.tsx';
import { BackfillPanel } from './phase/backfill-panel.tsx';
import { FlagsPanel } from './phase/flags-panel.tsx';
import { HistoryPanel } from './phase/history-panel.tsx';
import { Ladder } from './phase/ladder.tsx';
import { MoveDialog } from './phase/move-dialog.tsx';
import { MovingPanel } from './phase/moving-panel.tsx';
import { NeighbourPanel } from './phase/neighbour-panel.tsx';
import { ProcessesPanel } from './phase/processes-panel.tsx';

/** Where we are, where we want to be, what is waited for; and the ways from here. */
export function PhasePage() {
  const [target, setTarget] = useState<Phase | null>(null);
  const { value } = snapshot;
  const effective = effectivePhase.value;
  if (value === undefined || effective === undefined) return <Loading what="the phase" />;
  const { migration } = value;
  // The one with gates is the long one.
  const neighbours = (['ahead', 'back'] as const)
    .flatMap((direction) => {
      const step = migration?.[direction] ?? null;
      return step === null ? [] : [{ direction, step }];
    })
    .sort((one, other) => other.step.gates.length - one.step.gates.length)
    .map((one) => <NeighbourPanel key={one.direction} {...one} choose={setTarget} />);
  return (
    <>
      <Ladder
        effective={effective}
        desired={desiredPhase.value ?? effective}
        choose={migration === null ? null : setTarget}
      />
      {isMoving.value && <MovingPanel />}
      {migration !== null && (
        <div class="columns">
          {neighbours[0]}
          <div>
            {neighbours[1]}
            <BackfillPanel report={migration.backfill} />
            <HistoryPanel history={migration.history} />
          </div>
        </div>
      )}
      <FlagsPanel />
      {migration !== null && <ProcessesPanel processes={migration.processes} />}
      {target !== null && <MoveDialog target={target} close={() => setTarget(null)} />}
    </>
  );
}
