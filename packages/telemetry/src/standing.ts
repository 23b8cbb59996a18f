import { Gauge, type Registry } from '@prometheus-io/client';
import { type Gate, PHASES, type Phase } from '@tandem/storage/phase';
import type { DirectionStatus, RelayStatus } from '@tandem/storage/replication';
import type { DatabaseFacts } from './database-facts.ts';
import { queueWaitSeconds } from './queue-wait.ts';

/** A value that was read now and then, and how old it is. */
export interface Aged<T> {
  readonly value: T;
  readonly ageSeconds: number;
}

/** How a process stands at the moment. What it does not know, or does not have, is left out: then
 *  there is no such line, never a 0 that means "unknown". */
export interface ProcessFacts {
  readonly effective?: Phase | undefined;
  readonly epoch?: number | undefined;
  readonly desired: Phase;
  readonly ready: boolean;
  /** The emergency brake stands. */
  readonly brake?: boolean | undefined;
  readonly postgresUsable: boolean;
  readonly pools: Readonly<Record<string, PoolCounts>>;
  readonly relay?: RelayStatus | undefined;
  /** How long the oldest change has waited that only the journal has. */
  readonly journalWaitSeconds?: number | undefined;
  readonly directions: readonly DirectionStatus[];
  /** Only where this process would drive the next switch. */
  readonly gates?: Aged<readonly Gate[]> | undefined;
  readonly catchUp?: { readonly done: number; readonly total: number } | undefined;
  readonly database?: Aged<DatabaseFacts> | undefined;
}

/** What `pg` says of a pool. */
interface PoolCounts {
  readonly totalCount: number;
  readonly idleCount: number;
  readonly waitingCount: number;
}

const RELAY_STATES = ['connecting', 'relaying', 'waiting', 'down', 'stopped'] as const;
const VERIFY_OUTCOMES = ['clean', 'differences', 'inconclusive'];
const DIRECTION_STATES = ['working', 'idle', 'paused', 'stopped'] as const;

/** @returns a function that makes the gauges say what the facts say */
export function standingGauges(registry: Registry): (facts: ProcessFacts) => void {
  const gauge = <Label extends string>(name: string, help: string, labelNames: Label[] = []) =>
    new Gauge<Label>({ name, help, labelNames, registers: [registry] });

  const gauges = {
    phase: gauge('tandem_phase', 'The effective phase: 1 for the one it is.', ['phase']),
    desired: gauge('tandem_desired_phase', 'The phase the flags ask for.', ['phase']),
    epoch: gauge('tandem_epoch', 'Changes of the phase so far, as this process knows it.'),
    ready: gauge('tandem_ready', 'Whether this process does its work.'),
    brake: gauge('tandem_brake', 'Whether the emergency brake stands.'),
    postgresUp: gauge('tandem_postgres_up', 'Whether PostgreSQL can be used from here.'),
    connections: gauge('tandem_postgres_pool_connections', 'Connections.', ['pool', 'state']),
    waiting: gauge('tandem_postgres_pool_waiting', 'Requests for a connection.', ['pool']),
    relay: gauge('tandem_relay_state', 'What the relay does: 1 for the state it is in.', ['state']),
    journalChanges: gauge(
      'tandem_journal_backlog_changes',
      'Changes that stand in the journal and not in the queue.',
    ),
    journalSeconds: gauge(
      'tandem_journal_backlog_seconds',
      'Age of the oldest change that only the journal has.',
    ),
    directions: gauge(
      'tandem_direction_state',
      'What the worker does for a direction: 1 for the state it is in.',
      ['direction', 'state'],
    ),
    gates: gauge('tandem_gate_open', 'Whether a gate of the next switch is open.', ['gate']),
    gatesAge: gauge('tandem_gates_age_seconds', 'How long ago the gates were measured.'),
    catchUp: gauge(
      'tandem_catch_up_records',
      'While a store is brought up by difference: ids done, and ids in all.',
      ['state'],
    ),
    databaseAge: gauge(
      'tandem_database_facts_age_seconds',
      'How long ago what PostgreSQL knows was read: queues, verify runs, divergences.',
    ),
    queueJobs: gauge('tandem_queue_jobs', 'Jobs of a queue.', ['queue', 'state']),
    queueOldest: gauge(
      'tandem_queue_oldest_seconds',
      'Since when the oldest job of a queue waits or is in hand.',
      ['queue'],
    ),
    verifyAge: gauge(
      'tandem_verify_age_seconds',
      'Since the last verify run that finished: of everything (full), of what changed (changed).',
      ['mode'],
    ),
    verifyOutcome: gauge(
      'tandem_verify_outcome',
      'How the latest of both ended: 1 for the outcome it had.',
      ['outcome'],
    ),
    verifyDifferences: gauge('tandem_verify_differences', 'What it found.', ['class']),
    readiness: gauge(
      'tandem_rollback_readiness_ratio',
      'Share of the records that survive the way to the secondary and back unchanged.',
    ),
    divergences: gauge('tandem_divergences_open', 'Divergences that nobody decided.', ['class']),
  };

  function showDatabase({ value, ageSeconds }: Aged<DatabaseFacts>): void {
    gauges.databaseAge.set(ageSeconds);
    for (const [queue, { waiting, active, deadLetters }] of Object.entries(value.backlog.queues)) {
      gauges.queueJobs.set({ queue, state: 'waiting' }, waiting);
      gauges.queueJobs.set({ queue, state: 'active' }, active);
      gauges.queueJobs.set({ queue, state: 'dead' }, deadLetters);
    }
    for (const [queue, seconds] of Object.entries(value.queueAges)) {
      gauges.queueOldest.set({ queue }, queueWaitSeconds(seconds, ageSeconds));
    }
    for (const [name, open] of Object.entries(value.trust.divergences)) {
      gauges.divergences.set({ class: name }, open);
    }
    const { verified, readiness } = value.trust;
    if (readiness !== null) gauges.readiness.set(readiness);
    for (const { mode, ageSeconds: age } of verified) {
      gauges.verifyAge.set({ mode }, age + ageSeconds);
    }
    const [latest] = verified;
    if (latest === undefined) return;
    oneHot(gauges.verifyOutcome, {}, 'outcome', latest.outcome, VERIFY_OUTCOMES);
    for (const [name, found] of Object.entries(latest.counts)) {
      gauges.verifyDifferences.set({ class: name }, found);
    }
  }

  return (facts) => {
    for (const one of Object.values(gauges)) clear(one);
    const { effective, epoch, relay, gates, catchUp, database } = facts;
    if (effective !== undefined) oneHot(gauges.phase, {}, 'phase', effective, PHASES);
    oneHot(gauges.desired, {}, 'phase', facts.desired, PHASES);
    if (epoch !== undefined) gauges.epoch.set(epoch);
    gauges.ready.set(Number(facts.ready));
    if (facts.brake !== undefined) gauges.brake.set(Number(facts.brake));
    gauges.postgresUp.set(Number(facts.postgresUsable));
    for (const [pool, { totalCount, idleCount, waitingCount }] of Object.entries(facts.pools)) {
      gauges.connections.set({ pool, state: 'idle' }, idleCount);
      gauges.connections.set({ pool, state: 'busy' }, totalCount - idleCount);
      gauges.waiting.set({ pool }, waitingCount);
    }
    if (relay !== undefined) {
      oneHot(gauges.relay, {}, 'state', relay.state, RELAY_STATES);
      gauges.journalChanges.set(relay.pending);
      gauges.journalSeconds.set(relay.pending === 0 ? 0 : (facts.journalWaitSeconds ?? 0));
    }
    for (const { direction, state } of facts.directions) {
      oneHot(gauges.directions, { direction }, 'state', state, DIRECTION_STATES);
    }
    if (gates !== undefined) {
      gauges.gatesAge.set(gates.ageSeconds);
      for (const { name, open } of gates.value) gauges.gates.set({ gate: name }, Number(open));
    }
    if (catchUp !== undefined) {
      gauges.catchUp.set({ state: 'done' }, catchUp.done);
      gauges.catchUp.set({ state: 'total' }, catchUp.total);
    }
    if (database !== undefined) showDatabase(database);
  };
}

/** A gauge says nothing until it is set: the library's own reset leaves a 0 where there is no label. */
function clear(gauge: Gauge<string>): void {
  gauge.reset();
  gauge.remove({});
}

function oneHot(
  gauge: Gauge<string>,
  labels: Readonly<Record<string, string>>,
  name: string,
  is: string,
  of: readonly string[],
): void {
  for (const value of of) gauge.set({ ...labels, [name]: value }, Number(value === is));
}
