//   round 1                          round 2
//   ├─ lane 1   fault ── fault ──────┤ heal, quiet, compare ├─ …
//   ├─ lane 2     fault ─── fault ───┤
//   └─ phases  a ──── b ──── c ──────┘ the last of a round is a dual one
import { counted } from '@tandem/storage/counted';
import type { Phase } from '@tandem/storage/phase';
import { below, pickOf, randomFrom } from '@tandem/storage/testing';
import { type Ability, FAULT_KINDS, type FaultName, faultsWith } from './fault-kinds.ts';

/** One thing that is done to the system, `atMs` after its round began. */
export interface FaultEvent {
  readonly atMs: number;
  readonly kind: FaultName;
  readonly variant: string;
  readonly holdMs: number;
}

export interface PhaseEvent {
  readonly atMs: number;
  readonly desired: Phase;
}

export interface Round {
  readonly lengthMs: number;
  /** Each lane is done by itself: faults of two lanes overlap. */
  readonly lanes: readonly (readonly FaultEvent[])[];
  readonly phases: readonly PhaseEvent[];
}

export interface Schedule {
  readonly seed: number;
  /** Api processes over the two stores. */
  readonly apis: number;
  readonly rounds: readonly Round[];
}

const LANES = 2;
const APIS_MAX = 2;
/** One api alone is how most run it. */
const SINGLE_SHARE = 0.25;
/** Whom it is about is drawn beside what is done: the same seed does the same to one api and to two. */
const APART = 39_595;
const ROUND_MS_MAX = 45_000;
/** A round begins with nothing but switches under load. */
const CALM_MS = 6_000;
/** Between two faults of a lane, and before the first. */
const GAP_MS = [800, 4_500] as const;
/** How long a phase is desired; a switch takes a second or two when nothing stands in its way. */
const PHASE_MS = [2_500, 7_000] as const;
/** A fault now and then outlasts every deadline of the product. */
const LONG_SHARE = 0.06;
const LONG_MS = [9_000, 16_000] as const;
/** Faults of which a long one tells something new. */
const MAY_BE_LONG: readonly FaultName[] = ['suspend', 'postgres-stop', 'connections', 'full-disk'];

const DUAL: readonly Phase[] = ['json-primary', 'postgres-primary'];
/** The switches between the dual phases are those in which the primary changes. */
const PHASES: readonly Phase[] = ['json-only', ...DUAL, ...DUAL, 'postgres-only'];

/** A whole number of ms within bounds. */
const between = (random: () => number, [from, to]: readonly [number, number]): number =>
  from + below(random, to - from + 1);

/**
 * Everything that will be done, drawn by a seed alone: the same seed, length and abilities give the
 * same schedule.
 */
export function scheduleOf(
  seed: number,
  lengthMs: number,
  abilities: readonly Ability[],
): Schedule {
  const random = randomFrom(seed);
  const beside = randomFrom(seed ^ APART);
  const apis = beside() < SINGLE_SHARE ? 1 : APIS_MAX;
  const count = Math.max(1, Math.ceil(lengthMs / ROUND_MS_MAX));
  const roundMs = Math.floor(lengthMs / count);
  const kinds = faultsWith(abilities);
  const rounds = Array.from({ length: count }, () => ({
    lengthMs: roundMs,
    lanes: Array.from({ length: LANES }, () =>
      laneOf(random, roundMs, kinds).map((event) => ({
        ...event,
        variant: aimedAt(1 + below(beside, apis), event.variant),
      })),
    ),
    phases: phasesOf(random, roundMs),
  }));
  return { seed, apis, rounds };
}

/** What is aimed at an api names one of them. */
const aimedAt = (number: number, variant: string): string =>
  variant.replace(/^api\b/, `api-${number}`);

function laneOf(random: () => number, lengthMs: number, kinds: readonly FaultName[]): FaultEvent[] {
  const weighted = kinds.flatMap((kind) =>
    Array.from({ length: FAULT_KINDS[kind].weight }, () => kind),
  );
  const events: FaultEvent[] = [];
  let atMs = Math.min(CALM_MS, lengthMs / 4) + between(random, GAP_MS);
  while (atMs < lengthMs) {
    const kind = pickOf(random, weighted);
    const isLong = random() < LONG_SHARE && MAY_BE_LONG.includes(kind);
    const drawnMs = between(random, isLong ? LONG_MS : FAULT_KINDS[kind].holdMs);
    const holdMs = Math.min(drawnMs, lengthMs - atMs);
    events.push({
      atMs,
      kind,
      variant: pickOf<string>(random, FAULT_KINDS[kind].variants),
      holdMs,
    });
    atMs += holdMs + between(random, GAP_MS);
  }
  return events;
}

function phasesOf(random: () => number, lengthMs: number): PhaseEvent[] {
  const events: PhaseEvent[] = [];
  let atMs = 0;
  while (atMs < lengthMs - PHASE_MS[1]) {
    const before = events.at(-1)?.desired;
    const others = PHASES.filter((phase) => phase !== before);
    events.push({ atMs, desired: pickOf(random, others) });
    atMs += between(random, PHASE_MS);
  }
  events.push({ atMs, desired: pickOf(random, DUAL) });
  return events;
}

const seconds = (ms: number): string => (ms / 1_000).toFixed(1).padStart(6);

/** The schedule to read, one line an event. */
export function scheduleText({ seed, apis, rounds }: Schedule): string {
  const lines = rounds.flatMap(({ lengthMs, lanes, phases }, round) => {
    const events = [
      ...phases.map(({ atMs, desired }) => ({ atMs, text: `phase → ${desired}` })),
      ...lanes.flatMap((lane, number) =>
        lane.map(({ atMs, kind, variant, holdMs }) => ({
          atMs,
          text: `lane ${number + 1}: ${kind} ${variant}${holdMs > 0 ? `, for ${holdMs} ms` : ''}`,
        })),
      ),
    ].sort((a, b) => a.atMs - b.atMs);
    return [
      `Round ${round + 1}, ${lengthMs / 1_000} s`,
      ...events.map(({ atMs, text }) => `${seconds(atMs)} s  ${text}`),
    ];
  });
  return [
    `Schedule of seed ${seed}, with ${counted(apis, 'api process', 'api processes')}`,
    ...lines,
  ].join('\n');
}
