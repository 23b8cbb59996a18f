import type { KnownGate, SwitchState } from '@tandem/storage/phase';
import { useState } from 'preact/hooks';
import { send } from '../../api/client.ts';
import { desiredPhase, effectivePhase, snapshot } from '../../api/snapshot.ts';
import { count } from '../../format.ts';
import { ActDialog } from '../../parts/act-dialog.tsx';
import { Badge } from '../../parts/badge.tsx';
import { Meter } from '../../parts/meter.tsx';
import { Panel } from '../../parts/panel.tsx';
import { RelativeTime } from '../../parts/relative-time.tsx';
import { PHASE_ORDER, STORE_NAMES } from '../../words.ts';
import { GateList, isInTheWay } from './gate-list.tsx';

/** What the driver does in each state in which it acts; in the others it waits. */
const ACTS: Partial<Record<SwitchState, string>> = {
  looking: 'The driver looks at both stores.',
  meeting: 'Both stores are made known to each other.',
  'catching-up': 'The gates are measured, and the next primary is brought up to date.',
  sealing: 'The old primary is sealed; writes wait.',
  draining: 'What the old primary still has is carried over; writes wait.',
  marking: 'The commit is marked; writes wait.',
  committing: 'The new primary commits; writes wait.',
  telling: 'The old primary is told.',
  lifting: 'The seal is lifted again.',
  aborting: 'The driver asks whether the commit happened.',
  reuniting: 'Both sides are brought together after the brake.',
};

/** A move that was asked for and is not done: what it waits for, how far it is, and a way to take it back. */
export function MovingPanel() {
  const [isCancelling, setCancelling] = useState(false);
  const { migration, api } = snapshot.value ?? {};
  const phase = known()?.phase;
  const waitingFor = phase?.waitingFor ?? api?.waitingFor ?? null;
  const act = api?.switchState == null ? undefined : ACTS[api.switchState];
  const catchUps = phase?.catchUps ?? [];
  const intent = migration?.phase.intent;
  return (
    <Panel
      title={`Moving from ${effectivePhase.value} to ${desiredPhase.value}`}
      note={<Badge tone="info">under way</Badge>}
      actions={
        migration != null && (
          <button type="button" class="secondary outline" onClick={() => setCancelling(true)}>
            Cancel the move …
          </button>
        )
      }
    >
      {act !== undefined && <p>{act}</p>}
      <WaitingFor sentence={waitingFor} gates={closedOnTheWay()} />
      {act === undefined && waitingFor === null && (
        <p>The driver will take the next step by itself.</p>
      )}
      {phase?.disagreement != null && <p>{phase.disagreement}</p>}
      {catchUps.map((one) => (
        <Meter
          key={one.process}
          label={`${STORE_NAMES[one.towards]} is brought up to date by ${one.process}`}
          {...one}
        />
      ))}
      {api !== undefined && api.requestsWaiting > 0 && (
        <p>{count(api.requestsWaiting)} requests wait for the end of the switch.</p>
      )}
      {intent != null && intent.act === 'set' && (
        <p class="quiet">
          Asked for by {intent.actor} <RelativeTime at={intent.at} />: “{intent.reason}”
        </p>
      )}
      {isCancelling && <CancelDialog close={() => setCancelling(false)} />}
    </Panel>
  );
}

/** The gates in the way, if there are any; what else is waited for is told in the driver's words. */
function WaitingFor({ sentence, gates }: { sentence: string | null; gates: readonly KnownGate[] }) {
  if (gates.length > 0) {
    return (
      <>
        <p>
          <strong>Waiting for {gates.length === 1 ? 'a gate' : `${gates.length} gates`}</strong> to
          open:
        </p>
        <GateList gates={gates} />
      </>
    );
  }
  if (sentence === null) return null;
  return (
    <p>
      <strong>Waiting for</strong> {sentence}
    </p>
  );
}

/** While PostgreSQL is away, what it knew is of then; what is waited for now the api alone knows. */
function known() {
  const { migration, database } = snapshot.value ?? {};
  return database?.problem === null ? migration : undefined;
}

/** Of the next step towards the phase that is asked for. */
function closedOnTheWay(): readonly KnownGate[] {
  const { ahead, back } = known() ?? {};
  const [here, wanted] = [effectivePhase.value, desiredPhase.value].map((phase) =>
    phase === undefined ? -1 : PHASE_ORDER.indexOf(phase),
  );
  const step = (wanted ?? 0) > (here ?? 0) ? ahead : back;
  return (step?.gates ?? []).filter(isInTheWay);
}

function CancelDialog({ close }: { close: () => void }) {
  const effective = effectivePhase.value;
  return (
    <ActDialog
      title="Cancel the move"
      verb="Cancel the move"
      close={close}
      act={async (reason) => {
        await send('DELETE', '/phase', { reason });
        return `The flags ask for ${effective} again.`;
      }}
    >
      <p>
        The flags are set back to <code>{effective}</code>. A switch that has not committed is
        undone; one that has is not: then the answer is the new phase.
      </p>
    </ActDialog>
  );
}
