import type { KnownGate, Phase, PhaseAnswer, PlannedStep } from '@tandem/storage/phase';
import { useEffect, useState } from 'preact/hooks';
import { send } from '../../api/client.ts';
import { asProblem, type Problem } from '../../api/problem.ts';
import { effectivePhase, snapshot } from '../../api/snapshot.ts';
import { duration } from '../../format.ts';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { Loading } from '../../parts/empty-state.tsx';
import { ProblemNote } from '../../parts/problem-note.tsx';
import { PHASE_WORDS } from '../../words.ts';
import { GateList, isInTheWay } from './gate-list.tsx';

type Preview =
  | { readonly state: 'reading' }
  | { readonly state: 'read'; readonly answer: PhaseAnswer }
  | { readonly state: 'refused'; readonly problem: Problem };

/** Shows what a move would do, and asks for it. */
export function MoveDialog({ target, close }: { target: Phase; close: () => void }) {
  const [preview, setPreview] = useState<Preview>({ state: 'reading' });
  const effective = effectivePhase.value;
  useEffect(() => {
    const body = { desired: target, reason: 'Shown in the console.', dryRun: true };
    send<PhaseAnswer>('PUT', '/phase', body).then(
      (answer) => setPreview({ state: 'read', answer }),
      (error: unknown) => setPreview({ state: 'refused', problem: asProblem(error) }),
    );
  }, [target]);
  const steps = preview.state === 'read' ? preview.answer.steps : [];
  const isOfConsequence = steps.some(
    ({ movesPrimary, to }) => movesPrimary || PHASE_WORDS[to].secondary === null,
  );
  return (
    <ActDialog
      title={`Move from ${effective} to ${target}`}
      verb={`Ask for ${target}`}
      close={close}
      confirmation={isOfConsequence ? target : undefined}
      isBlocked={preview.state !== 'read'}
      act={async (reason) => {
        await send<PhaseAnswer>('PUT', '/phase', { desired: target, reason });
        return `The flags ask for ${target} now; the system moves by itself.`;
      }}
    >
      {preview.state === 'reading' && <Loading what="the steps" />}
      {preview.state === 'refused' && <ProblemNote problem={preview.problem} />}
      {preview.state === 'read' && <Plan answer={preview.answer} />}
    </ActDialog>
  );
}

function Plan({ answer: { steps, warnings } }: { answer: PhaseAnswer }) {
  if (steps.length === 0) return <p>That is the phase already; the flags will say so.</p>;
  return (
    <>
      {warnings.map((warning) => (
        <p key={warning} class="note tone-warn">
          <span aria-hidden="true" class="shape">
            ▲
          </span>
          <span>{warning}</span>
        </p>
      ))}
      <ol class="plan">
        {steps.map((step) => (
          <li key={step.to}>
            <Step step={step} />
          </li>
        ))}
      </ol>
    </>
  );
}

function Step({ step: { from, to, what, pause, gates } }: { step: PlannedStep }) {
  const closed = gates.map(asDriverSees).filter((gate) => isInTheWay(gate) || gate.open === null);
  return (
    <>
      <strong>
        {from} → {to}
      </strong>
      <p>{what}</p>
      <p class="quiet">
        Writes wait about {duration(pause.ms)} ({pause.basis}).
      </p>
      {closed.length > 0 && (
        <>
          <p>It begins once these are open:</p>
          <GateList gates={closed} />
        </>
      )}
    </>
  );
}

/** The snapshot may have what only the driver measures; the answer to a dry run has not. */
function asDriverSees(gate: KnownGate): KnownGate {
  if (gate.open !== null) return gate;
  const { ahead, back } = snapshot.value?.migration ?? {};
  const known = [...(ahead?.gates ?? []), ...(back?.gates ?? [])];
  return known.find(({ name }) => name === gate.name) ?? gate;
}
