//   memory ─────────────────────────────┐
//   PostgreSQL, while somebody asks ────┼──▶ one snapshot, however many ask
//   a sample every 2 s, from memory ────┘
import type { Collection } from '@tandem/storage/collections';
import type { Log } from '@tandem/storage/log';
import type { LiveProcess, MigrationOperations, PlannedStep } from '@tandem/storage/phase';
import { liveProcesses, readTrustFacts, type VerifySummary } from '@tandem/storage/postgres';
import { type Backlog, readBacklog } from '@tandem/storage/replication';
import { type ProcessFacts, queueWaitSeconds, Sampled } from '@tandem/telemetry';
import type {
  Snapshot,
  SnapshotStanding,
  SnapshotTrust,
  SnapshotWork,
} from '@tandem/telemetry/snapshot';
import type { Pool } from 'pg';
import type { ApiProcess } from '../process/api-process.ts';
import { apiView } from './api-view.ts';
import { Refreshed } from './refreshed.ts';
import { type Sample, Samples } from './samples.ts';
import { type Rates, shadowReadsOf, WorkRates } from './work-rates.ts';

const SAMPLE_INTERVAL_MS = 2_000;
const READ_INTERVAL_MS = 1_000;
/** A snapshot is answered with what was known before when PostgreSQL takes longer. */
const PATIENCE_MS = 800;
const HISTORY_ENTRIES = 50;

export interface SnapshotSourceOptions {
  readonly api: ApiProcess;
  readonly collections: readonly Pick<Collection, 'name'>[];
  readonly operations: Pick<MigrationOperations, 'standing'>;
  readonly lastVerify: () => Promise<VerifySummary | undefined>;
  /** The operators' own connections: requests may hold all the others. */
  readonly pool: Pool;
  /** What was measured lately, from memory. */
  readonly facts: () => ProcessFacts;
  readonly log: Log;
}

interface DatabasePart {
  readonly migration: SnapshotStanding;
  readonly trust: SnapshotTrust;
  readonly work: SnapshotWork;
  readonly backlog: Backlog;
}

/** Puts the snapshot together that the console polls. */
export class SnapshotSource {
  readonly #options: SnapshotSourceOptions;
  readonly #samples = new Samples();
  readonly #database: Refreshed<DatabasePart>;
  readonly #processes: Sampled<readonly LiveProcess[]>;
  readonly #workRates = new WorkRates();
  #rates: Rates | undefined;
  #timer: NodeJS.Timeout | undefined;

  constructor(options: SnapshotSourceOptions) {
    this.#options = options;
    this.#database = new Refreshed({
      read: () => this.#readDatabase(),
      intervalMs: READ_INTERVAL_MS,
      patienceMs: PATIENCE_MS,
    });
    const { pool, log } = options;
    this.#processes = new Sampled({
      ...{ name: 'What the processes have done', log, intervalMs: SAMPLE_INTERVAL_MS },
      read: () => this.#readProcesses(pool),
    });
  }

  start(): void {
    this.#processes.start();
    this.#timer = setInterval(() => this.#sample(), SAMPLE_INTERVAL_MS);
    this.#timer.unref();
  }

  async stop(): Promise<void> {
    clearInterval(this.#timer);
    await this.#processes.stop();
  }

  /** @param samplesAfterMs the sender has the samples up to there; 0: none */
  async now(samplesAfterMs: number): Promise<Snapshot> {
    const { api, collections, facts } = this.#options;
    const { value, readAt, problem } = await this.#database.ask();
    return {
      at: new Date().toISOString(),
      collections: collections.map(({ name }) => name),
      api: apiView(api),
      database: { problem, asOf: problem === null ? null : readAt },
      migration: value === undefined ? null : this.#withDriversGates(value.migration),
      trust: value?.trust ?? null,
      work: value?.work ?? null,
      journalPending: facts().relay?.pending ?? null,
      queues: value?.backlog.queues ?? null,
      samples: this.#samples.after(samplesAfterMs),
    };
  }

  async #readDatabase(): Promise<DatabasePart> {
    const { operations, lastVerify, pool, api } = this.#options;
    const { usable, why } = { why: '', ...api.database.state };
    // What is known to be away is not waited for.
    if (!usable) throw new Error(why);
    const { processes, ...standing } = await operations.standing(HISTORY_ENTRIES);
    const last = await lastVerify();
    const { divergences } = await readTrustFacts(pool);
    return {
      migration: { ...standing, processes: processes.map(({ seenAt, work, ...one }) => one) },
      work: { shadowReads: shadowReadsOf(processes) },
      trust: { verify: last ?? null, readiness: last?.lastReadiness ?? null, divergences },
      backlog: await readBacklog(pool),
    };
  }

  /** Keeps what they do in a second since they were looked at before. */
  async #readProcesses(pool: Pool): Promise<readonly LiveProcess[]> {
    this.#rates = undefined;
    const live = await liveProcesses(pool);
    this.#rates = this.#workRates.look(live);
    return live;
  }

  /** What only the driver measures is taken from its last look, where this process is the driver. */
  #withDriversGates(standing: SnapshotStanding): SnapshotStanding {
    const driver = this.#options.facts().gates?.value ?? [];
    const known = <T extends PlannedStep | null>(step: T): T =>
      step && {
        ...step,
        gates: step.gates.map((gate) =>
          gate.open === null ? (driver.find(({ name }) => name === gate.name) ?? gate) : gate,
        ),
      };
    return { ...standing, ahead: known(standing.ahead), back: known(standing.back) };
  }

  #sample(): void {
    const facts = this.#options.facts();
    this.#samples.add(Date.now(), sampleOf(facts, this.#rates));
  }
}

function sampleOf(
  { relay, database, journalWaitSeconds }: ProcessFacts,
  rates: Rates | undefined,
): Sample {
  const pending = relay?.pending ?? 0;
  const queued = database?.value.backlog;
  const waiting = Object.values(database?.value.queueAges ?? {}).map((seconds) =>
    queueWaitSeconds(seconds, database?.ageSeconds ?? 0),
  );
  const journal = pending === 0 ? 0 : (journalWaitSeconds ?? 0);
  const lag = Math.max(rates?.lagSeconds ?? 0, ...waiting, journal);
  return {
    backlog: queued === undefined ? (relay?.pending ?? null) : queued.total + pending,
    lag: Math.round(lag * 10) / 10,
    written: rates?.written ?? null,
    applied: rates?.applied ?? null,
    failed: rates?.failed ?? null,
    deadLetters: queued?.deadLetters ?? null,
  };
}
