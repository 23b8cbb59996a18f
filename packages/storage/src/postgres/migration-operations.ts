import type { Pool } from 'pg';
import { TandemError } from '../errors.ts';
import {
  type Asked,
  disagreement,
  flagsOf,
  furthestOf,
  gatesOf,
  type JsonPhaseState,
  type KnownGate,
  type LiveProcess,
  lockedAgainst,
  type MigrationOperations,
  type MigrationStanding,
  type NeighbourStep,
  nextPhase,
  type OverBudget,
  type Phase,
  type PhaseAnswer,
  type PhaseFlags,
  type PhaseReport,
  type PlanFacts,
  type PostgresPhaseState,
  planSwitch,
  primaryOf,
  resolveFlags,
  runningIn,
  spokesman,
  type Verified,
} from '../phase/index.ts';
import { backfillOperations } from './backfill-operations.ts';
import { translated } from './failure.ts';
import { readPhaseFlags } from './flags.ts';
import { askForPhase, readPauses, readPhaseHistory, readPhaseIntent } from './phase-intents.ts';
import { postgresPhase } from './phase-row.ts';
import { liveProcesses } from './process-registry.ts';
import { readRelayedSeq } from './relay-cursor.ts';
import { verifiedLast } from './verify-runs.ts';

export interface MigrationOperationsOptions {
  /** Stays the caller's. */
  readonly pool: Pool;
  /** `FF_…` of the process that is asked; they count while no other runs. */
  readonly lockedFlags: Partial<PhaseFlags>;
  /** What can be seen of the JSON store without its lock; no phase before there is one. */
  readonly json: () => Promise<JsonSeen>;
  /** What the queues hold. */
  readonly backlog: () => Promise<{ readonly total: number; readonly deadLetters: number }>;
}

/** The JSON store as far as moves of the phase ask. */
export interface JsonSeen {
  readonly phase: JsonPhaseState | undefined;
  /** `seq` of the last outbox item. */
  readonly head: number;
  /** Foreign edits of its files that wait for a decision, where that can be seen. */
  readonly openEdits?: number;
}

/** Both stores' and everybody's word on the phase, read at about the same time. */
interface Seen {
  readonly postgres: PostgresPhaseState;
  readonly json: JsonPhaseState | undefined;
  readonly jsonHead: number;
  readonly openEdits: number | undefined;
  readonly live: readonly LiveProcess[];
}

/** What operators ask and order, over PostgreSQL: whether api and worker run makes no difference. */
export function migrationOperations(options: MigrationOperationsOptions): MigrationOperations {
  const { pool } = options;

  async function look(): Promise<Seen> {
    const [postgres, json, live] = await Promise.all([
      postgresPhase(pool, () => new Date()).read(),
      options.json(),
      liveProcesses(pool),
    ]);
    const { phase, head, openEdits } = json;
    return { postgres, json: phase, jsonHead: head, openEdits, live };
  }

  async function planFacts(seen: Seen, effective: Phase): Promise<PlanFacts> {
    const row = postgresPhase(pool, () => new Date());
    const [queued, notRelayed, pauses, overBudget, undecided, verified] = await Promise.all([
      options.backlog(),
      notRelayedOf(pool, seen),
      readPauses(pool),
      row.overBudget(),
      row.undecided(),
      verifiedLast(pool, primaryOf(effective)),
    ]);
    const backlog = {
      ...queued,
      overBudget,
      undecided,
      verified,
      total: queued.total + notRelayed,
    };
    return { gates: knownGates(seen, backlog), backlog: backlog.total, pauses };
  }

  async function answer(desired: Phase, seen: Seen, dryRun: boolean): Promise<PhaseAnswer> {
    const effective = standingOf(seen).phase;
    const steps = planSwitch(effective, desired, await planFacts(seen, effective));
    return { effective, desired, dryRun, steps, warnings: warningsOf(desired, seen, options) };
  }

  async function standing(historyLimit: number): Promise<MigrationStanding> {
    const seen = await look();
    const { phase: effective } = standingOf(seen);
    const facts = await planFacts(seen, effective);
    const towards = (end: Phase): NeighbourStep | null => {
      const to = nextPhase(effective, end);
      const [step] = to === undefined ? [] : planSwitch(effective, to, facts);
      return step === undefined ? null : { ...step, lockedBy: lockedAgainst(step.to, seen.live) };
    };
    return {
      phase: await reportOf(seen, options),
      ahead: towards('postgres-only'),
      back: towards('json-only'),
      processes: seen.live,
      backfill: await backfillOperations({
        pool,
        look: async () => forBackfills(seen),
      }).backfills(),
      history: await readPhaseHistory(pool, historyLimit),
    };
  }

  async function order(
    act: 'set' | 'cancel',
    asked: Asked,
    wanted: (effective: Phase) => Phase,
  ): Promise<PhaseAnswer> {
    const seen = await look();
    const desired = wanted(standingOf(seen).phase);
    refuseLocked(desired, seen.live);
    if (asked.dryRun === true) return answer(desired, seen, true);
    const { actor, reason } = asked;
    let decidedBy = seen;
    const chosen = await askForPhase(pool, { act, actor, reason }, (postgres) => {
      decidedBy = { ...seen, postgres };
      return wanted(standingOf(decidedBy).phase);
    });
    return answer(chosen, decidedBy, false);
  }

  const backfills = backfillOperations({ pool, look: async () => forBackfills(await look()) });

  return {
    backfills: () => translated(backfills.backfills()),
    backfill: (id) => translated(backfills.backfill(id)),
    askBackfill: (asked) => translated(backfills.askBackfill(asked)),
    phase: () => translated(look().then((seen) => reportOf(seen, options))),
    history: (limit) => translated(readPhaseHistory(pool, limit)),
    processes: () => liveProcesses(pool),
    standing: (historyLimit) => translated(standing(historyLimit)),
    setPhase: (desired, asked) => translated(order('set', asked, () => desired)),
    cancelPhase: (asked) => translated(order('cancel', asked, (effective) => effective)),
  };
}

function forBackfills(seen: Seen) {
  const { phase: effective } = standingOf(seen);
  const primary = primaryOf(effective) === 'json' ? seen.json : seen.postgres;
  return { effective, catchUpSince: primary?.catchUpSince ?? null, live: seen.live };
}

/** The two stores say the phase; a process whose JSON store can't be seen from here says it for it. */
const standingOf = ({ postgres, json, live }: Seen) =>
  furthestOf([
    postgres,
    ...(json === undefined ? [] : [json]),
    ...live.map(({ effective, epoch }) => ({ phase: effective, epoch })),
  ]);

/** In `json-primary` the journal is the outbox: what the queue does not have of it waits too. */
async function notRelayedOf(pool: Pool, seen: Seen): Promise<number> {
  const { json, jsonHead } = seen;
  if (json === undefined || standingOf(seen).phase !== 'json-primary') return 0;
  return Math.max(0, jsonHead - (await readRelayedSeq(pool, json.pairId)));
}

async function reportOf(seen: Seen, options: MigrationOperationsOptions): Promise<PhaseReport> {
  const { pool, lockedFlags } = options;
  const { phase: effective, epoch } = standingOf(seen);
  const speaker = spokesman(seen.live);
  const intent = await readPhaseIntent(pool);
  const rows = await readPhaseFlags(pool);
  const own = resolveFlags(lockedFlags, { read: true, rows }, null);
  const { desired, flags } = speaker ?? own;
  const told = seen.live.find(({ waitingFor }) => waitingFor !== null)?.waitingFor ?? null;
  return {
    ...{ desired, effective, epoch, flags, intent },
    source: speaker === undefined ? 'asked' : 'processes',
    waitingFor: desired === effective ? null : (speaker?.waitingFor ?? told),
    disagreement: disagreement(seen.live),
    catchUps: runningIn(seen.live),
  };
}

function refuseLocked(desired: Phase, live: readonly LiveProcess[]): void {
  const sentence = lockedAgainst(desired, live);
  if (sentence !== null) throw new TandemError('conflict', sentence, { detail: { desired } });
}

/** Gates whose measure only the process that would drive the switch has. */
const HELD_BY_THE_DRIVER = ['mapping errors', 'target writable'];

/** What the driver can't be asked for from here is left open. */
function knownGates(
  seen: Seen,
  backlog: {
    readonly total: number;
    readonly deadLetters: number;
    readonly overBudget: readonly OverBudget[];
    readonly undecided: number;
    readonly verified: Verified | null;
  },
): readonly KnownGate[] {
  const { postgres, json } = seen;
  const source = primaryOf(standingOf(seen).phase) === 'json' ? json : postgres;
  const gates = gatesOf({
    postgresProblem: null,
    catchUpSince: source?.catchUpSince ?? null,
    mappingErrors: 0,
    undecided: backlog.undecided,
    verified: backlog.verified,
    targetProblem: null,
    overBudget: backlog.overBudget,
    foreignEdits: seen.openEdits ?? 0,
    deadLetters: backlog.deadLetters,
    backlog: backlog.total,
    disagreement: disagreement(seen.live),
  });
  const unknown = [
    ...HELD_BY_THE_DRIVER,
    ...(source === undefined ? ['backfill complete'] : []),
    ...(seen.openEdits === undefined ? ['foreign edits'] : []),
  ];
  return gates.map((gate) =>
    unknown.includes(gate.name) ? { ...gate, open: null, value: 'not known from here' } : gate,
  );
}

function warningsOf(
  desired: Phase,
  { live }: Seen,
  { lockedFlags }: MigrationOperationsOptions,
): string[] {
  const warnings: string[] = [];
  const disagree = disagreement(live);
  if (disagree !== null) warnings.push(disagree);
  if (live.length > 0) return warnings;
  warnings.push('No api or worker runs: the phase moves when one starts.');
  for (const [name, wanted] of Object.entries(flagsOf(desired))) {
    const locked = lockedFlags[name as keyof PhaseFlags];
    if (locked === undefined || locked === wanted) continue;
    warnings.push(`FF_${name}=${locked} is set here; a process started with it keeps ${locked}.`);
  }
  return warnings;
}
