import type { DivergenceBudget } from '@tandem/storage/consistency';
import type { LockHolder } from '@tandem/storage/json';
import {
  disagreement,
  type FlagTable,
  type JsonPhaseState,
  type LiveProcess,
  type Phase,
  type PhaseFlags,
  type PostgresPhaseState,
  primaryOf,
  type ResolvedFlags,
  type RunningCatchUp,
  resolveFlags,
  runningIn,
  spokesman,
  troublesOf,
} from '@tandem/storage/phase';
import type { VerifySummary } from '@tandem/storage/postgres';
import type { Backlog, QueueAges, QueueBacklog } from '@tandem/storage/replication';

/** What could be seen of the JSON store, without its lock. */
export interface JsonFacts {
  readonly directory: string;
  /** `undefined` before its first start, or when it can't be read. */
  readonly phase?: JsonPhaseState;
  /** Outbox items ever written. */
  readonly outboxHead?: number;
  /** Who has it open. */
  readonly holder?: LockHolder;
  /** Edits of its files by something else that wait for a decision. */
  readonly openEdits?: number;
  readonly problem?: string;
}

/** What the database said, or why it could not be asked. */
export type PostgresFacts =
  | { readonly known: false; readonly reachable: boolean; readonly problem: string }
  | {
      readonly known: true;
      readonly phase: PostgresPhaseState;
      readonly flags: Partial<PhaseFlags>;
      /** Outbox items of this JSON store that are in the queue. */
      readonly relayed: number;
      readonly backlog: Backlog;
      readonly queueAges: QueueAges;
      readonly verify: VerifySummary | null;
      readonly divergences: readonly DivergenceBudget[];
      readonly processes: readonly LiveProcess[];
    };

export interface StatusFacts {
  readonly lockedFlags: Partial<PhaseFlags>;
  readonly json: JsonFacts;
  readonly postgres: PostgresFacts;
  /** Where api and worker expose metrics, as the environment says. */
  readonly metrics?: readonly string[];
}

/** The state of an installation. `null` is what can't be known now; `problems` says why. */
export interface Status {
  /** What the live processes believe; without any, what the flags say here. */
  readonly desired: Phase;
  readonly effective: Phase | null;
  readonly epoch: number | null;
  /** Changes not yet applied to the secondary: not relayed yet, or jobs that wait or are in hand. Not
   *  known while the secondary must be brought up by difference. */
  readonly backlog: number | null;
  readonly deadLetters: number | null;
  readonly flags: ResolvedFlags['flags'];
  readonly json: {
    readonly directory: string;
    readonly phase: Phase | null;
    readonly epoch: number | null;
    readonly sealed: boolean | null;
    readonly catchUpSince: string | null;
    readonly holder: LockHolder | null;
    /** Outbox items that are not in the queue yet. */
    readonly notRelayed: number | null;
    /** Where its content was put away after Phase 5 proved itself; the store is empty. */
    readonly archived: { readonly at: string; readonly file: string } | null;
  };
  readonly postgres: {
    readonly reachable: boolean;
    readonly phase: Phase | null;
    readonly epoch: number | null;
    readonly sealed: boolean | null;
    readonly catchUpSince: string | null;
  };
  readonly queues: Readonly<Record<string, QueueBacklog>> | null;
  /** Seconds since the oldest job of a queue was put there. */
  readonly queueAges: QueueAges | null;
  /** Who runs; `null` when the database can't be asked. */
  readonly processes: readonly LiveProcess[] | null;
  /** Catch-ups under way. */
  readonly catchUps: readonly RunningCatchUp[];
  /** The last comparison that finished. */
  readonly verify: VerifySummary | null;
  /** Open differences a collection; those that are decided or on their way apart from these. */
  readonly divergences: readonly DivergenceBudget[] | null;
  /** URLs; none where a port is not known before the start. */
  readonly metrics: readonly string[];
  readonly problems: readonly string[];
}

/** Puts together what was seen. Pure. */
export function statusOf({ lockedFlags, json, postgres, metrics = [] }: StatusFacts): Status {
  const table: FlagTable = postgres.known
    ? { read: true, rows: postgres.flags }
    : { read: false, why: "feature_flags can't be read." };
  const processes = postgres.known ? postgres.processes : [];
  // An environment that differs from theirs moves nothing.
  const { flags, desired } =
    spokesman(processes) ?? resolveFlags(lockedFlags, table, json.phase?.lastKnownFlags ?? null);
  const standing = furthest(json, postgres);
  const effective = standing?.phase ?? null;
  const notRelayed = notRelayedOf(effective, json, postgres);
  const problems = [
    json.problem,
    postgres.known ? undefined : postgres.problem,
    otherFolder(json, postgres),
    disagreement(processes) ?? undefined,
    ...troublesOf(processes),
  ];
  if (json.openEdits) {
    problems.push(
      `Edits of the JSON files that wait for a decision: ${json.openEdits} ("tandem external-edits").`,
    );
  }
  const behind = broughtUpByDifference(effective, json, postgres);
  if (behind !== undefined) problems.push(behind);
  if (!postgres.known && effective !== null && primaryOf(effective) === 'postgres') {
    problems.push('The phase is what the JSON store last knew; the database may be further.');
  }
  return {
    desired,
    effective,
    epoch: standing?.epoch ?? null,
    backlog:
      postgres.known && notRelayed !== null && behind === undefined
        ? postgres.backlog.total + notRelayed
        : null,
    deadLetters: postgres.known ? postgres.backlog.deadLetters : null,
    flags,
    json: {
      directory: json.directory,
      ...standingOf(json.phase),
      holder: json.holder ?? null,
      notRelayed,
      archived: json.phase?.archived ?? null,
    },
    postgres: {
      reachable: postgres.known || postgres.reachable,
      ...standingOf(postgres.known ? postgres.phase : undefined),
    },
    queues: postgres.known ? postgres.backlog.queues : null,
    queueAges: postgres.known ? postgres.queueAges : null,
    verify: postgres.known ? postgres.verify : null,
    divergences: postgres.known ? postgres.divergences : null,
    processes: postgres.known ? processes : null,
    catchUps: runningIn(processes),
    metrics,
    problems: problems.filter((problem) => problem !== undefined),
  };
}

const standingOf = (state: JsonPhaseState | PostgresPhaseState | undefined) => ({
  phase: state?.phase ?? null,
  epoch: state?.epoch ?? null,
  sealed: state?.sealed ?? null,
  catchUpSince: state?.catchUpSince ?? null,
});

/** Every phase change commits in the new primary first: of two stores the higher epoch is right. */
function furthest(
  json: JsonFacts,
  postgres: PostgresFacts,
): JsonPhaseState | PostgresPhaseState | undefined {
  if (!postgres.known) return json.phase;
  if (json.phase === undefined) return postgres.phase;
  return postgres.phase.epoch > json.phase.epoch ? postgres.phase : json.phase;
}

/** A sentence when this folder is not the one whose store the database belongs to. */
function otherFolder(json: JsonFacts, postgres: PostgresFacts): string | undefined {
  if (!postgres.known || postgres.phase.pairId === null || json.problem !== undefined)
    return undefined;
  if (json.phase?.pairId === postgres.phase.pairId) return undefined;
  return `${json.directory} does not hold the JSON store that this database belongs to: set JSON_DIR as the service has it, or ask where that store is.`;
}

/** A sentence while the secondary lacks what stands neither in the journal nor in the queue. */
function broughtUpByDifference(
  effective: Phase | null,
  json: JsonFacts,
  postgres: PostgresFacts,
): string | undefined {
  const sides = {
    'json-primary': { since: json.phase?.catchUpSince, secondary: 'PostgreSQL' },
    'postgres-primary': {
      since: postgres.known ? postgres.phase.catchUpSince : null,
      secondary: 'JSON',
    },
  };
  if (effective !== 'json-primary' && effective !== 'postgres-primary') return undefined;
  const { since, secondary } = sides[effective];
  if (since === undefined || since === null) return undefined;
  return `${secondary} must be brought up by difference (since ${since}); how much it lacks is not counted.`;
}

/** The journal is the outbox in `json-primary` only. */
function notRelayedOf(
  effective: Phase | null,
  { outboxHead }: JsonFacts,
  postgres: PostgresFacts,
): number | null {
  if (effective === null) return null;
  if (effective !== 'json-primary') return 0;
  if (!postgres.known || outboxHead === undefined) return null;
  return Math.max(0, outboxHead - postgres.relayed);
}
