import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { freePort } from '@tandem/embedded-postgres';
import { flagsOf, type Phase } from '@tandem/storage/phase';
import pg from 'pg';
import { writeLegacyExpenses } from '../records.ts';
import { Service } from './service.ts';

/** One `npm start`: api and worker over a database of the bench's server, moved by its flags. */
export class TandemSystem {
  readonly #service: Service;
  readonly #pool: pg.Pool;
  readonly #workerOrigin: string;
  readonly #token: string;

  private constructor(service: Service, pool: pg.Pool, workerOrigin: string, token: string) {
    this.#service = service;
    this.#pool = pool;
    this.#workerOrigin = workerOrigin;
    this.#token = token;
  }

  get origin(): string {
    return this.#service.origin;
  }

  /** Starts in `json-only` on a folder that holds so many legacy records. */
  static async start(folder: string, databaseUrl: string, records: number): Promise<TandemSystem> {
    await mkdir(join(folder, 'json'), { recursive: true });
    await writeLegacyExpenses(join(folder, 'json', 'expenses.json'), records);
    const workerPort = await freePort();
    const service = await Service.start(
      'scripts/start.ts',
      { DATA_DIR: folder, DATABASE_URL: databaseUrl, WORKER_PORT: String(workerPort) },
      /^ {2}API +(http:\/\/[^/\s]+)/m,
    );
    const token = (await readFile(join(folder, 'operator-token'), 'utf8')).trim();
    const pool = new pg.Pool({ connectionString: databaseUrl, max: 2 });
    // A bar may stop the server; whoever asks it something afterwards is told by that query.
    pool.on('error', () => {});
    const system = new TandemSystem(service, pool, `http://127.0.0.1:${workerPort}`, token);
    // A new installation begins in Phase 3.
    await system.moveTo('json-only');
    return system;
  }

  async stop(): Promise<void> {
    await this.#pool.end();
    await this.#service.stop();
  }

  /** Types the flags, and waits until the phase is effective and nothing waits for the secondary. */
  async moveTo(phase: Phase): Promise<void> {
    const flags = Object.entries(flagsOf(phase));
    for (const [name, enabled] of flags) {
      await this.#pool.query(
        `INSERT INTO feature_flags (name, enabled) VALUES ($1, $2)
         ON CONFLICT (name, user_id) DO UPDATE SET enabled = excluded.enabled`,
        [name, enabled],
      );
    }
    await until(`${phase} is effective`, async () => (await this.phase()) === phase);
    await this.settle();
  }

  async phase(): Promise<Phase> {
    return (await this.#readiness()).phase.effective;
  }

  /** How many changes the secondary lacks at this moment: those still in the journal, and the jobs. */
  async backlog(): Promise<number> {
    const { phase, backlog: inJournal = 0 } = await this.#readiness();
    switch (phase.effective) {
      case 'json-primary':
        return inJournal + (await this.#jobs('write-to-postgres'));
      case 'postgres-primary':
        return this.#jobs('write-to-json');
      default:
        return 0;
    }
  }

  /** Does now what autovacuum would do at some moment after many rows came. */
  async vacuum(): Promise<void> {
    await this.#pool.query('VACUUM ANALYZE');
  }

  /** Waits until the secondary has everything. */
  settle(): Promise<void> {
    return until('the secondary has everything', async () => (await this.backlog()) === 0);
  }

  /** The worker's histogram of the replication lag: how many changes took at most so many seconds. */
  async lag(): Promise<Map<number, number>> {
    const answer = await fetch(`${this.#workerOrigin}/metrics`, {
      headers: { authorization: `Bearer ${this.#token}` },
    });
    const found = new Map<number, number>();
    const line = /^tandem_replication_lag_seconds_bucket\{(.*)\} (\d+)$/gm;
    for (const [, labels = '', count] of (await answer.text()).matchAll(line)) {
      const bound = /le="([^"]+)"/.exec(labels)?.[1];
      const seconds = bound === '+Inf' ? Number.POSITIVE_INFINITY : Number(bound);
      found.set(seconds, (found.get(seconds) ?? 0) + Number(count));
    }
    return found;
  }

  async #readiness(): Promise<Readiness> {
    return (await (await fetch(`${this.origin}/readyz`)).json()) as Readiness;
  }

  async #jobs(queue: string): Promise<number> {
    const { rows } = await this.#pool.query<{ n: number }>(
      "SELECT count(*)::int AS n FROM pgboss.job WHERE name = $1 AND state < 'completed'",
      [queue],
    );
    return rows[0]?.n ?? Number.NaN;
  }
}

/** Of `/readyz`, what is looked at here. */
interface Readiness {
  readonly phase: { readonly effective: Phase };
  readonly backlog?: number;
}

const UNTIL_TIMEOUT_MS = 300_000;
const UNTIL_INTERVAL_MS = 50;

async function until(what: string, holds: () => Promise<boolean>): Promise<void> {
  const deadline = performance.now() + UNTIL_TIMEOUT_MS;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`Still not so: ${what}.`);
    await sleep(UNTIL_INTERVAL_MS);
  }
}
