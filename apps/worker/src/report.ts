import type { CatchUpStatus } from '@tandem/storage/consistency';
import type { PostgresPhaseState } from '@tandem/storage/phase';
import type { Backlog, DirectionStatus } from '@tandem/storage/replication';
import type { JsonFollowerStatus } from './json-follower.ts';

/** What the process knows of itself. */
export interface WorkerReport {
  /** As last read; `undefined` before the first time. */
  readonly phase: PostgresPhaseState | undefined;
  readonly outage?: { readonly since: string; readonly because: string };
  readonly toPostgres?: DirectionStatus;
  readonly json: JsonFollowerStatus;
  readonly catchUp?: CatchUpStatus;
  readonly backlog: Backlog | undefined;
}

interface Dependency {
  readonly status: 'up' | 'down' | 'degraded' | 'unused';
  readonly detail?: string;
}

export interface Readiness {
  /** False until PostgreSQL was reached, and while it can't be: there is nothing to work on. While
   *  PostgreSQL is primary also until it follows with JSON, unless another process does, or it can't. */
  readonly ready: boolean;
  readonly status: 'ok' | 'degraded' | 'unready';
  readonly phase: { readonly effective: string; readonly epoch: number } | null;
  readonly dependencies: Readonly<Record<string, Dependency>>;
  readonly directions: readonly DirectionStatus[];
  /** Waiting and active jobs; `null` when they can't be counted. */
  readonly backlog: number | null;
  readonly deadLetters: number | null;
  /** While the JSON store is brought up to date by difference. */
  readonly catchUp?: CatchUpStatus;
}

/** Pure: what `/readyz` answers. */
export function readinessOf(report: WorkerReport): Readiness {
  const { phase, outage, toPostgres, json, backlog, catchUp } = report;
  const works = phase !== undefined && outage === undefined && toPostgres !== undefined;
  const ready = works && (phase.phase !== 'postgres-primary' || isFollowed(json));
  const directions = [toPostgres, json.direction].filter((status) => status !== undefined);
  const paused = directions.some(({ state }) => state === 'paused');
  const degraded = paused || json.because !== undefined;
  return {
    ready,
    status: ready ? (degraded ? 'degraded' : 'ok') : 'unready',
    phase: phase === undefined ? null : { effective: phase.phase, epoch: phase.epoch },
    dependencies: { postgres: postgresOf(outage), json: jsonOf(json) },
    directions,
    backlog: backlog?.total ?? null,
    deadLetters: backlog?.deadLetters ?? null,
    ...(catchUp === undefined ? {} : { catchUp }),
  };
}

const isFollowed = ({ state, because, isHeldElsewhere }: JsonFollowerStatus): boolean =>
  state === 'working' || because !== undefined || isHeldElsewhere === true;

const postgresOf = (outage: WorkerReport['outage']): Dependency =>
  outage === undefined
    ? { status: 'up' }
    : { status: 'down', detail: `${outage.because} (since ${outage.since})` };

function jsonOf({ state, because }: JsonFollowerStatus): Dependency {
  if (because !== undefined) return { status: 'degraded', detail: because };
  return state === 'off' ? { status: 'unused' } : { status: 'up', detail: state };
}

/** What fails although the process works, as what is waited for; `null`: nothing does. */
export function troubleOf({
  toPostgres,
  json,
}: Pick<WorkerReport, 'toPostgres' | 'json'>): string | null {
  if (json.because !== undefined) return `the JSON store: ${json.because}`;
  for (const status of [toPostgres, json.direction]) {
    if (status?.state !== 'paused') continue;
    const { direction, pausedSince, pausedBecause } = status;
    return `write-to-${direction}, paused since ${pausedSince}: ${pausedBecause}`;
  }
  return null;
}
