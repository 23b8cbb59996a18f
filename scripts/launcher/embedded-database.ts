//   start ──> running ──ended by itself──> waiting (1 s … 30 s) ──> running, on the same port
//                └─ stop(): no restart
import { setTimeout as sleep } from 'node:timers/promises';
import { type EmbeddedServer, sendSignal, startEmbeddedPostgres } from '@tandem/embedded-postgres';
import { sentenceOf } from '@tandem/storage/errors';
import type { Log } from '@tandem/storage/log';
import { RestartBackoff } from './backoff.ts';

/** The embedded PostgreSQL, kept running until it is stopped. */
export class EmbeddedDatabase {
  readonly #folder: string;
  readonly #log: Log;
  readonly #stopping = new AbortController();
  readonly #backoff = new RestartBackoff();
  #server: EmbeddedServer;
  #watch: Promise<void>;

  private constructor(folder: string, log: Log, server: EmbeddedServer) {
    this.#folder = folder;
    this.#log = log;
    this.#server = server;
    this.#watch = this.#keepRunning();
  }

  /** @throws {Error} with one sentence when it can't be started */
  static async start(folder: string, log: Log): Promise<EmbeddedDatabase> {
    return new EmbeddedDatabase(folder, log, await startEmbeddedPostgres({ folder }));
  }

  get url(): string {
    return this.#server.url;
  }

  /** Ends it cleanly; resolves when it is gone. */
  async stop(): Promise<void> {
    this.#stopping.abort();
    await this.#server.stop();
    await this.#watch;
  }

  /** Ends it at once; its next start recovers. */
  kill(): void {
    this.#stopping.abort();
    sendSignal(this.#server.pid, 'SIGKILL');
  }

  async #keepRunning(): Promise<void> {
    const { signal } = this.#stopping;
    const { port } = this.#server;
    for (;;) {
      const startedAt = performance.now();
      let sentence = await this.#server.ended;
      let ranMs = performance.now() - startedAt;
      for (;;) {
        if (signal.aborted) return;
        const waitMs = this.#backoff.next(ranMs);
        this.#log.error({ waitMs }, `${sentence} It is started again in ${waitMs / 1000} s.`);
        await sleep(waitMs, undefined, { signal }).catch(() => {});
        if (signal.aborted) return;
        try {
          const server = await startEmbeddedPostgres({ folder: this.#folder });
          if (server.port === port && !signal.aborted) {
            this.#server = server;
            break;
          }
          // Not wanted any more; or on another port, and the services know the first one only.
          await server.stop();
          sentence = `Port ${port}, on which the embedded PostgreSQL ran, was taken meanwhile.`;
        } catch (error) {
          sentence = `The embedded PostgreSQL did not start: ${sentenceOf(error)}`;
        }
        ranMs = 0;
      }
      this.#log.info({ port }, 'The embedded PostgreSQL runs again.');
    }
  }
}
