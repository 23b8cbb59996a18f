import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedServer, startEmbeddedPostgres } from '@tandem/embedded-postgres';
import { silentLog } from '@tandem/storage/log';
import { createPool, migrateSchema } from '@tandem/storage/postgres';
import { migrateQueues, readBacklog } from '@tandem/storage/replication';
import type { Pool } from 'pg';
import { writeLegacyExpenses } from '../records.ts';
import { type DualVariables, type Service, startDualApi, startDualWorker } from './service.ts';

const POLL_MS = 100;
const WAIT_TIMEOUT_MS = 10 * 60_000;

/** Waits for a condition. @throws {Error} past a deadline that only something broken reaches */
export async function until(what: string, isTrue: () => Promise<boolean>): Promise<void> {
  const deadlineMs = performance.now() + WAIT_TIMEOUT_MS;
  while (!(await isTrue())) {
    if (performance.now() > deadlineMs) throw new Error(`It never came to this: ${what}.`);
    await sleep(POLL_MS);
  }
}

/** Tandem in `json-primary`, its services started by the bench, each when it is needed. */
export class DualServices {
  readonly #server: EmbeddedServer;
  readonly #variables: DualVariables;
  readonly pool: Pool;
  #running: Service[] = [];

  private constructor(server: EmbeddedServer, pool: Pool, folder: string) {
    this.#server = server;
    this.pool = pool;
    this.#variables = {
      ...{ DATA_DIR: folder, DATABASE_URL: server.url },
      OPERATOR_TOKEN: 'the-operator-of-the-bench-0123456789',
    };
  }

  /** @param records expenses that the JSON store begins with */
  static async prepare(folder: string, records: number): Promise<DualServices> {
    await mkdir(join(folder, 'json'), { recursive: true });
    if (records > 0) await writeLegacyExpenses(join(folder, 'json', 'expenses.json'), records);
    const server = await startEmbeddedPostgres({ folder: join(folder, 'postgres') });
    const pool = createPool(server.url, { applicationName: 'bench' });
    const services = new DualServices(server, pool, folder);
    try {
      await migrateSchema(pool);
      await migrateQueues(pool, silentLog);
    } catch (error) {
      await services.stop();
      throw error;
    }
    return services;
  }

  get url(): string {
    return this.#server.url;
  }

  startApi(): Promise<Service> {
    return this.#started(startDualApi(this.#variables));
  }

  startWorker(): Promise<Service> {
    return this.#started(startDualWorker(this.#variables));
  }

  /** Asks an operator's route of a service. @throws {Error} when it is refused */
  async ask(origin: string, path: string, body?: object): Promise<unknown> {
    const authorization = `Bearer ${this.#variables.OPERATOR_TOKEN}`;
    const post = { method: 'POST', body: JSON.stringify(body) };
    const answer = await fetch(`${origin}${path}`, {
      ...(body === undefined ? {} : post),
      headers: { authorization, 'content-type': 'application/json' },
    });
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  /** Everything that was written is in the queue. */
  async relayed(origin: string): Promise<void> {
    await until('the journal is relayed', async () => {
      const answer = await fetch(`${origin}/readyz`);
      return ((await answer.json()) as { backlog?: number }).backlog === 0;
    });
  }

  /** Nothing waits in the queue. */
  drained(): Promise<void> {
    return until('the queue is empty', async () => (await readBacklog(this.pool)).total === 0);
  }

  async stop(): Promise<void> {
    await Promise.all(this.#running.map((service) => service.stop()));
    await this.pool.end();
    await this.#server.stop();
  }

  async #started(starting: Promise<Service>): Promise<Service> {
    const service = await starting;
    this.#running.push(service);
    return service;
  }
}
