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
          {migration.ahead !== null && (
            <NeighbourPanel step={migration.ahead} direction="ahead" choose={setTarget} />
          )}
          {migration.back !== null && (
            <NeighbourPanel step={migration.back} direction="back" choose={setTarget} />
          )}
        </div>
      )}
      {migration !== null && <BackfillPanel report={migration.backfill} />}
      <FlagsPanel />
      {migration !== null && <ProcessesPanel processes={migration.processes} />}
      {migration !== null && <HistoryPanel history={migration.history} />}
      {target !== null && <MoveDialog target={target} close={() => setTarget(null)} />}
    </>
  );
}
