import type { Log } from '@tandem/storage/log';
import type { Gate } from '@tandem/storage/phase';
import {
  type DatabaseFacts,
  type ProcessFacts,
  readDatabaseFacts,
  Sampled,
} from '@tandem/telemetry';
import type { Pool } from 'pg';
import type { WorkerProcess } from './worker-process.ts';

const DATABASE_INTERVAL_MS = 5_000;
const GATES_INTERVAL_MS = 10_000;

/** What `/metrics` tells of how this process stands; whatever takes time was read before. */
export class WorkerFacts {
  readonly #worker: WorkerProcess;
  readonly #database: Sampled<DatabaseFacts>;
  readonly #gates: Sampled<readonly Gate[]>;

  constructor(worker: WorkerProcess, pool: Pool, log: Log) {
    this.#worker = worker;
    this.#database = new Sampled({
      ...{ name: 'What PostgreSQL knows', log, intervalMs: DATABASE_INTERVAL_MS },
      read: () => readDatabaseFacts(pool),
    });
    this.#gates = new Sampled({
      ...{ name: 'The gates', log, intervalMs: GATES_INTERVAL_MS },
      read: async () => worker.gates(),
    });
  }

  start(): void {
    this.#database.start();
    this.#gates.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#database.stop(), this.#gates.stop()]);
  }

  now(): ProcessFacts {
    return {
      ...this.#worker.standing(),
      gates: this.#gates.current,
      database: this.#database.current,
    };
  }
}
