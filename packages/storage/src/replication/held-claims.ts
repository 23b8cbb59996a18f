import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { QueueClient } from './boss.ts';
import { CLAIM_REFRESH_MS, type Claim, giveBack } from './claims.ts';

/** The claims a worker has in hand: kept fresh while it works on them, given back when it can't. */
export class HeldClaims {
  readonly #queues: QueueClient;
  readonly #queue: string;
  readonly #log: Log;
  readonly #claims = new Map<string, Claim>();
  readonly #timer: NodeJS.Timeout;
  #refreshing = false;

  constructor(queues: QueueClient, queue: string, log: Log) {
    this.#queues = queues;
    this.#queue = queue;
    this.#log = log;
    this.#timer = setInterval(() => void this.#refresh(), CLAIM_REFRESH_MS);
    this.#timer.unref();
  }

  get size(): number {
    return this.#claims.size;
  }

  hold(claims: readonly Claim[]): void {
    for (const { id, retryCount } of claims) this.#claims.set(id, { id, retryCount });
  }

  settled(claims: readonly Claim[]): void {
    for (const { id } of claims) this.#claims.delete(id);
  }

  /** Puts everything back as it was. When even that is not possible, the claims lapse by themselves
   *  within seconds, which costs nothing but those. */
  async giveBack(): Promise<void> {
    const claims = [...this.#claims.values()];
    this.#claims.clear();
    try {
      await giveBack(this.#queues.pool, this.#queue, claims);
    } catch (error) {
      this.#log.debug(
        { jobs: claims.length, error: sentenceOf(error) },
        `${claims.length} claimed jobs could not be given back; their claims will lapse`,
      );
    }
  }

  end(): void {
    clearInterval(this.#timer);
  }

  /** A refresh that fails says nothing about the claims: settling is fenced. */
  async #refresh(): Promise<void> {
    if (this.#refreshing || this.#claims.size === 0) return;
    this.#refreshing = true;
    try {
      const boss = await this.#queues.ready();
      await boss.touch(this.#queue, [...this.#claims.values()]);
    } catch (error) {
      this.#log.debug({ error: sentenceOf(error) }, 'Claims could not be refreshed');
    } finally {
      this.#refreshing = false;
    }
  }
}
