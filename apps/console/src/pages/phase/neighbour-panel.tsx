import type { NeighbourStep, Phase } from '@tandem/storage/phase';
import { duration } from '../../format.ts';
import { Badge } from '../../parts/badge.tsx';
import { Panel } from '../../parts/panel.tsx';
import { GateList, isInTheWay } from './gate-list.tsx';

const TITLES = { ahead: 'The next phase', back: 'The way back' } as const;

/** The move to a neighbour: what it does, what stands in its way, how long writes would wait. */
export function NeighbourPanel({
  step,
  direction,
  choose,
}: {
  step: NeighbourStep;
  direction: 'ahead' | 'back';
  choose: (phase: Phase) => void;
}) {
  const closed = step.gates.filter(isInTheWay);
  const isFree = closed.length === 0 && step.lockedBy === null;
  return (
    <Panel
      title={`${TITLES[direction]}: ${step.to}`}
      note={
        <Badge tone={isFree ? 'good' : 'bad'}>
          {isFree ? 'free' : step.lockedBy === null ? `${closed.length} closed` : 'locked'}
        </Badge>
      }
      actions={
        <button
          type="button"
          class={direction === 'ahead' ? undefined : 'secondary outline'}
          onClick={() => choose(step.to)}
        >
          {direction === 'ahead' ? 'Switch' : 'Roll back'} to {step.to} …
        </button>
      }
    >
      <p>{step.what}</p>
      <p class="quiet">
        Writes would wait about {duration(step.pause.ms)} ({step.pause.basis}).
      </p>
      {step.lockedBy !== null && <p>{step.lockedBy}</p>}
      {step.gates.length === 0 ? (
        <p class="quiet">Nothing stands in the way of this step.</p>
      ) : (
        <GateList gates={step.gates} />
      )}
    </Panel>
  );
}
