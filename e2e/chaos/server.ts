import { type EmbeddedServer, startEmbeddedPostgres } from '@tandem/embedded-postgres';
import pg from 'pg';
import type { Timeline } from './timeline.ts';

const CONNECT_TIMEOUT_MS = 2_000;
const QUERY_TIMEOUT_MS = 6_000;
/** No test pulls the plug of this machine; a killed server loses nothing that the kernel has. */
const SETTINGS = { fsync: 'off', shared_buffers: '32MB', max_connections: '120' };

/** How a server ends: its clients sent away, nothing written, or nothing asked at all. */
export type ServerEnd = 'fast' | 'immediate' | 'kill';

/** The run's PostgreSQL, which comes and goes on one port. */
export class ChaosServer {
  readonly #folder: string;
  readonly #timeline: Timeline;
  #server: EmbeddedServer;
  #turn: Promise<unknown> = Promise.resolve();

  private constructor(folder: string, timeline: Timeline, server: EmbeddedServer) {
    this.#folder = folder;
    this.#timeline = timeline;
    this.#server = server;
  }

  static async start(folder: string, timeline: Timeline): Promise<ChaosServer> {
    const server = await startEmbeddedPostgres({ folder, settings: SETTINGS });
    return new ChaosServer(folder, timeline, server);
  }

  get url(): string {
    return this.#server.url;
  }

  get postmaster(): number {
    return this.#server.pid;
  }

  /** One thing at a time is done to the postmaster: a stopped one can't be asked to end. */
  exclusive<T>(work: () => Promise<T>): Promise<T> {
    const done = this.#turn.then(work);
    this.#turn = done.catch(() => undefined);
    return done;
  }

  /** Ends it, waits, and starts it again on its port. */
  outage(how: ServerEnd, hold: () => Promise<void>): Promise<void> {
    return this.exclusive(async () => {
      const { pid, port, ended } = this.#server;
      this.#timeline.note(`PostgreSQL ends: ${how}`);
      if (how === 'fast') process.kill(pid, 'SIGINT');
      else process.kill(pid, how === 'immediate' ? 'SIGQUIT' : 'SIGKILL');
      await ended;
      await hold();
      await this.#startOn(port);
      this.#timeline.note('PostgreSQL runs again');
    });
  }

  /** Runs one statement past every proxy. */
  async query(sql: string): Promise<Record<string, unknown>[]> {
    const client = new pg.Client({
      connectionString: this.url,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      query_timeout: QUERY_TIMEOUT_MS,
      statement_timeout: QUERY_TIMEOUT_MS,
    });
    client.on('error', () => {}); // The statement under way rejects with the same.
    await client.connect();
    try {
      return (await client.query(sql)).rows;
    } finally {
      await client.end().catch(() => undefined);
    }
  }

  async stop(): Promise<void> {
    await this.#turn;
    await this.#server.stop();
  }

  async #startOn(port: number): Promise<void> {
    for (;;) {
      const server = await startEmbeddedPostgres({ folder: this.#folder, settings: SETTINGS });
      this.#server = server;
      if (server.port === port) return;
      // Another program has taken the port for a moment; the processes know this one only.
      await server.stop();
    }
  }
}
