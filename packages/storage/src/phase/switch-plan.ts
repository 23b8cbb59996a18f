import type { Gate } from './gates.ts';
import { nextPhase, type Phase, primaryOf, secondaryOf } from './phases.ts';

/** A gate as far as it is known: the driver measures each anew when it gets there. */
export interface KnownGate extends Omit<Gate, 'open'> {
  /** `null`: only the driver can tell. */
  readonly open: boolean | null;
}

/** How long a switch that moves the primary made requests wait. */
export interface MeasuredPause {
  readonly from: Phase;
  readonly to: Phase;
  readonly pauseMs: number;
}

export interface ExpectedPause {
  readonly ms: number;
  /** `measured`: the longest of the last switches of this kind; `estimated` before there was one. */
  readonly basis: 'measured' | 'estimated';
}

/** One move to a neighbouring phase. */
export interface PlannedStep {
  readonly from: Phase;
  readonly to: Phase;
  readonly movesPrimary: boolean;
  /** What happens, in one sentence. */
  readonly what: string;
  /** Empty for a step that nothing stands in the way of. */
  readonly gates: readonly KnownGate[];
  /** How long writes are expected to wait. */
  readonly pause: ExpectedPause;
}

export interface PlanFacts {
  readonly gates: readonly KnownGate[];
  /** Changes the secondary has not applied; `null` when not known. */
  readonly backlog: number | null;
  /** Newest first. */
  readonly pauses: readonly MeasuredPause[];
}

/** Sealing, two syncs, a comparison and a commit, before there is anything to carry over. */
const PAUSE_BASE_MS = 200;
/** Changes a second that are carried over in the pause. */
const CARRIED_PER_S = 2_000;
/** A change of phase that keeps the primary raises its epoch under one lock. */
const EPOCH_PAUSE_MS = 10;

const NAMES = { json: 'JSON', postgres: 'PostgreSQL' } as const;

/** The steps from the effective to the desired phase, in order; none when they are the same. Pure. */
export function planSwitch(effective: Phase, desired: Phase, facts: PlanFacts): PlannedStep[] {
  const steps: PlannedStep[] = [];
  for (let from = effective; from !== desired; ) {
    const to = nextPhase(from, desired);
    if (to === undefined) throw new Error(`No phase leads from ${from} to ${desired}.`);
    const movesPrimary = primaryOf(from) !== primaryOf(to);
    steps.push({
      ...{ from, to, movesPrimary, what: whatHappens(from, to) },
      gates: movesPrimary ? facts.gates : [],
      pause: movesPrimary
        ? primaryPause(from, to, facts)
        : { ms: EPOCH_PAUSE_MS, basis: 'estimated' },
    });
    from = to;
  }
  return steps;
}

function whatHappens(from: Phase, to: Phase): string {
  const primary = NAMES[primaryOf(to)];
  if (primaryOf(from) !== primaryOf(to)) {
    return `${primary} becomes the primary once it holds everything; ${NAMES[primaryOf(from)]} follows it.`;
  }
  const follower = secondaryOf(to) ?? secondaryOf(from);
  const secondary = follower === null ? '' : NAMES[follower];
  return secondaryOf(to) === null
    ? `${primary} alone is written; ${secondary} stays as it is.`
    : `${secondary} is brought up to date by difference and follows ${primary}.`;
}

function primaryPause(from: Phase, to: Phase, { backlog, pauses }: PlanFacts): ExpectedPause {
  const measured = pauses.filter((pause) => pause.from === from && pause.to === to);
  if (measured.length > 0) {
    return { ms: Math.max(...measured.map(({ pauseMs }) => pauseMs)), basis: 'measured' };
  }
  const carried = Math.ceil(((backlog ?? 0) / CARRIED_PER_S) * 1_000);
  return { ms: PAUSE_BASE_MS + carried, basis: 'estimated' };
}
