import type { KnownGate } from '@tandem/storage/phase';
import { Badge, type Tone } from '../../parts/badge.tsx';

interface Standing {
  readonly tone: Tone;
  readonly word: string;
}

/** A gate that the driver opens by itself keeps no switch from beginning. */
function standingOf({ open, byDriver }: KnownGate): Standing {
  if (open === null) return { tone: 'quiet', word: 'not known here' };
  if (open) return { tone: 'good', word: 'open' };
  return byDriver ? { tone: 'info', word: 'on the way' } : { tone: 'bad', word: 'closed' };
}

/** Whether a gate would keep the switch from beginning. */
export const isInTheWay = ({ open, byDriver }: KnownGate): boolean =>
  open === false && byDriver !== true;

/** Each gate with what it saw, what it needs, and what would open it. */
export function GateList({ gates }: { gates: readonly KnownGate[] }) {
  return (
    <ul class="gates">
      {gates.map((gate) => {
        const { tone, word } = standingOf(gate);
        return (
          <li key={gate.name}>
            <span class="gate-name">{gate.name}</span>
            <Badge tone={tone}>{word}</Badge>
            <span class="gate-value">
              {gate.value}
              {gate.open !== true && <span class="quiet"> (needed: {gate.needed})</span>}
            </span>
            {gate.open !== true && <p class="gate-opens">Opens when {gate.opensWhen}.</p>}
          </li>
        );
      })}
    </ul>
  );
}
