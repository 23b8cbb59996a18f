import { snapshot } from '../../api/snapshot.ts';
import { counted } from '../../format.ts';
import { EmptyState } from '../../parts/empty-state.tsx';
import { Panel } from '../../parts/panel.tsx';

/** Nothing has failed for good, or nothing that the filters mean. */
export function NoLetters({ isNarrowed }: { isNarrowed: boolean }) {
  const waiting = Object.values(snapshot.value?.queues ?? {}).reduce(
    (sum, queue) => sum + queue.waiting + queue.active,
    0,
  );
  return (
    <Panel title="Failed jobs">
      {isNarrowed ? (
        <EmptyState title="No failed job matches.">Widen the filters above.</EmptyState>
      ) : (
        <EmptyState isGood title="No write to the other store has failed for good.">
          {waiting === 0
            ? 'Nothing is on its way either: the other store has everything.'
            : `${counted(waiting, 'change')} on the way. What fails is tried again; only what can’t succeed ends here.`}
        </EmptyState>
      )}
    </Panel>
  );
}
