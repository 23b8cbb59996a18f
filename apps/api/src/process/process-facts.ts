import type { Log } from '@tandem/storage/log';
import type { Gate } from '@tandem/storage/phase';
import {
  type DatabaseFacts,
  journalWaitSeconds,
  type ProcessFacts,
  readDatabaseFacts,
  Sampled,
} from '@tandem/telemetry';
import type { Pool } from 'pg';
import type { ApiProcess } from './api-process.ts';
import type { JsonSession } from './json-session.ts';
import { readinessReport } from './readiness-report.ts';

const DATABASE_INTERVAL_MS = 5_000;
const GATES_INTERVAL_MS = 10_000;
const JOURNAL_INTERVAL_MS = 2_000;

/** What `/metrics` tells of how this process stands; whatever takes time was read before. */
export class ApiFacts {
  readonly #api: ApiProcess;
  readonly #operators: Pool;
  readonly #database: Sampled<DatabaseFacts>;
  readonly #gates: Sampled<readonly Gate[]>;
  readonly #journal: Sampled<{ readonly seq: number; readonly at: string }>;

  /** @param operators their own connections: requests may hold all the others */
  constructor(api: ApiProcess, operators: Pool, log: Log) {
    this.#api = api;
    this.#operators = operators;
    this.#database = new Sampled({
      ...{ name: 'What PostgreSQL knows', log, intervalMs: DATABASE_INTERVAL_MS },
      read: () => readDatabaseFacts(operators),
    });
    this.#gates = new Sampled({
      ...{ name: 'The gates', log, intervalMs: GATES_INTERVAL_MS },
      read: async () => api.keeper.session?.gates(),
    });
    this.#journal = new Sampled({
      ...{ name: 'The age of the journal', log, intervalMs: JOURNAL_INTERVAL_MS },
      read: async () => this.#oldestInJournal(api.keeper.session),
    });
  }

  start(): void {
    for (const sampled of [this.#database, this.#gates, this.#journal]) sampled.start();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#database, this.#gates, this.#journal].map((one) => one.stop()));
  }

  now(): ProcessFacts {
    const api = this.#api;
    const { keeper } = api;
    const { ready, phase } = readinessReport(api);
    return {
      ...{ effective: keeper.effective?.phase, epoch: keeper.effective?.epoch, ready },
      desired: api.flags.desired,
      brake: phase.brake !== undefined,
      postgresUsable: api.database.state.usable,
      pools: { requests: api.pool, operators: this.#operators },
      relay: keeper.session?.relay?.status(),
      journalWaitSeconds: journalWaitSeconds(this.#journal.current, this.#relayedSeq),
      directions: [],
      gates: this.#gates.current,
      catchUp: api.watch.current,
      database: this.#database.current,
    };
  }

  get #relayedSeq(): number {
    const { session } = this.#api.keeper;
    return session?.relay?.status().cursor ?? session?.json.outbox.relayedSeq ?? 0;
  }

  /** Behind what memory holds this reads a file: while nothing moves, once. */
  async #oldestInJournal(session: JsonSession | undefined) {
    const relay = session?.relay?.status();
    if (session === undefined || relay === undefined || relay.pending === 0) return undefined;
    const { outbox } = session.json;
    const seq = this.#relayedSeq;
    const known = this.#journal.current?.value;
    if (known?.seq === seq) return known;
    const [oldest] = await outbox.read(seq, 1);
    if (oldest === undefined) return undefined;
    const { item } = oldest;
    return { seq, at: item.kind === 'change' ? item.change.at : item.key.at };
  }
}
