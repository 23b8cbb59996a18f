import type { Collection } from '@tandem/storage/collections';
import type { CatchUpWatch, ConsistencyKeeper, VerifySchedule } from '@tandem/storage/consistency';
import { sentenceOf } from '@tandem/storage/errors';
import type { JsonStore } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import type { Observer } from '@tandem/storage/observer';
import {
  failpoint,
  type Gate,
  type GateFacts,
  gatesOf,
  type LiveContext,
  type Phase,
  promotePostgres,
  type Refusal,
  type RoutedStore,
  type SwitchContext,
  waitsForReturn,
} from '@tandem/storage/phase';
import type { PostgresStore } from '@tandem/storage/postgres';
import {
  createQueueUpkeep,
  type QueueClient,
  type Relay,
  readBacklog,
} from '@tandem/storage/replication';
import { followWithPostgres, journalOf } from './follow.ts';
import { keepJsonConsistent } from './json-consistency.ts';

export interface JsonSessionOptions {
  readonly json: JsonStore;
  readonly postgres: PostgresStore;
  readonly queues: QueueClient;
  readonly collections: readonly Collection[];
  readonly requests: RoutedStore;
  readonly watch: CatchUpWatch;
  readonly log: Log;
  readonly observer: Observer;
  readonly verifySchedule: VerifySchedule;
  readonly signal: AbortSignal;
  /** What this process knows of the gates beside the stores' own state. */
  readonly outside: () => Promise<Pick<GateFacts, 'postgresProblem' | 'disagreement'>>;
}

/** What the api does while it holds the JSON store: it drives the switches, and runs the relay. */
export class JsonSession {
  readonly json: JsonStore;
  readonly #options: JsonSessionOptions;
  readonly #journal;
  readonly #upkeep;
  #relay: Relay | undefined;
  #consistency: ConsistencyKeeper | undefined;

  constructor(options: JsonSessionOptions) {
    const { json, postgres, queues, collections, log } = options;
    this.json = json;
    this.#options = options;
    this.#journal = journalOf(json, queues);
    const stores = { json, postgres };
    this.#upkeep = createQueueUpkeep({ queues, stores, collections, journal: this.#journal, log });
  }

  get relay(): Relay | undefined {
    return this.#relay;
  }

  context(reason: string): SwitchContext & { readonly json: JsonStore } {
    const { json, postgres, collections, watch, log } = this.#options;
    return {
      ...{ json, postgres, collections, watch, log, reason, queues: this.#upkeep },
      actor: `api ${process.pid}`,
      now: () => new Date(),
    };
  }

  /** Takes one step away from the phase of the JSON store, requests going on. */
  async step(to: Phase, reason: string): Promise<Refusal | undefined> {
    const { json } = this;
    const { phase, epoch, catchUpSince } = json.phase.read();
    if (phase === 'json-only' && to === 'json-primary') {
      const since = catchUpSince ?? new Date().toISOString();
      await failpoint('dual-write-on.before');
      await json.phase.update({ epoch: epoch + 1, phase: to, catchUpSince: since });
      await failpoint('dual-write-on.marked');
      this.follow();
      return undefined;
    }
    if (phase === 'json-primary' && to === 'json-only') {
      const waitingFor = waitsForReturn(json.phase.read());
      if (waitingFor !== undefined) return { waitingFor };
      await failpoint('dual-write-off.before');
      await json.phase.update({ epoch: epoch + 1, phase: to, catchUpSince: null });
      await failpoint('dual-write-off.marked');
      await this.#stopRelay(0);
      return undefined;
    }
    if (phase === 'json-primary' && to === 'postgres-primary') {
      const { requests } = this.#options;
      return promotePostgres({
        ...this.#live(reason),
        ...{ outbox: json.outbox, requests, stopRelay: () => this.#stopRelay(0) },
      });
    }
    throw new Error(`The api does not lead from ${phase} to ${to}.`);
  }

  /** Starts what follows a JSON primary. */
  follow(): void {
    const { queues, observer } = this.#options;
    const context = { ...this.context('the relay met PostgreSQL'), observer };
    this.#relay ??= followWithPostgres(context, this.#journal, queues);
    this.#consistency ??= keepJsonConsistent({ ...this.#options, json: this.json });
  }

  /** The gates of a move away from JSON, as they stand now. */
  async gates(): Promise<readonly Gate[]> {
    return gatesOf(await this.#facts());
  }

  /**
   * Drains the relay within the deadline, writes the checkpoint and lets go of the lock.
   * @throws {TandemError} when the last checkpoint failed; all of it is closed, and nothing is lost
   */
  async close(drainTimeoutMs: number): Promise<void> {
    await this.#stopRelay(drainTimeoutMs);
    await this.json.close();
  }

  /** Lets go of the store while the process goes on: that the files lack something is in the log, and
   *  the next holder brings them up. */
  async letGo(): Promise<void> {
    const { log } = this.#options;
    await this.close(0).catch((error: unknown) => {
      log.debug({ error: sentenceOf(error) }, 'The JSON store was left with its files behind');
    });
  }

  async #stopRelay(drainTimeoutMs: number): Promise<void> {
    const consistency = this.#consistency;
    this.#consistency = undefined;
    await consistency?.stop();
    const relay = this.#relay;
    this.#relay = undefined;
    await relay?.stop({ drainTimeoutMs });
  }

  #live(reason: string): LiveContext {
    const { signal } = this.#options;
    return { ...this.context(reason), signal, facts: () => this.#facts() };
  }

  async #facts(): Promise<GateFacts> {
    const { outside, queues } = this.#options;
    const known = await outside();
    if (known.postgresProblem !== null) {
      return { ...known, ...this.#own(), undecided: 0, overBudget: [], deadLetters: 0, backlog: 0 };
    }
    const { phase } = this.#options.postgres;
    const [undecided, overBudget] = [await phase.undecided(), await phase.overBudget()];
    const { total, deadLetters } = await readBacklog(queues.pool);
    const pending = this.#relay?.status().pending ?? 0;
    const counts = { undecided, overBudget, deadLetters, backlog: total + pending };
    return { ...known, ...this.#own(), ...counts };
  }

  #own(): Pick<GateFacts, 'catchUpSince' | 'mappingErrors' | 'foreignEdits'> {
    const { catchUpSince } = this.json.phase.read();
    const foreignEdits = this.json.externalEdits().filter(({ status }) => status === 'open').length;
    return { catchUpSince, foreignEdits, mappingErrors: this.json.mappingErrors().length };
  }
}
