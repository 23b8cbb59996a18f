import type { Phase } from '@tandem/storage/phase';
import { flowOf, PHASE_ORDER, PHASE_WORDS } from '../../words.ts';

/** The four phases in a row: where we are, where we want to be, and which way the records flow. */
export function Ladder({
  effective,
  desired,
  choose,
}: {
  effective: Phase;
  desired: Phase;
  /** `null`: nothing can be asked for at the moment. */
  choose: ((phase: Phase) => void) | null;
}) {
  return (
    <ol class="ladder" aria-label="The phases">
      {PHASE_ORDER.map((phase) => {
        const isHere = phase === effective;
        const isWanted = phase === desired && !isHere;
        return (
          <li
            key={phase}
            class={isHere ? 'here' : isWanted ? 'wanted' : undefined}
            aria-current={isHere ? 'step' : undefined}
          >
            <p class="ladder-guide">{PHASE_WORDS[phase].guide}</p>
            <p class="ladder-name">{phase}</p>
            <p class="ladder-flow">{flowOf(phase)}</p>
            <p class="ladder-mark">
              {isHere && <span>● We are here</span>}
              {isWanted && <span>◎ Asked for</span>}
              {!isHere && !isWanted && choose !== null && (
                <button type="button" class="plain" onClick={() => choose(phase)}>
                  Go here<span class="only-read">: {phase}</span> …
                </button>
              )}
            </p>
          </li>
        );
      })}
    </ol>
  );
}
