import type { Collection } from '@tandem/storage/collections';
import type { CatchUpWatch, ConsistencyKeeper, VerifySchedule } from '@tandem/storage/consistency';
import { sentenceOf } from '@tandem/storage/errors';
import type { JsonStore } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import type { Observer } from '@tandem/storage/observer';
import {
  bringUpLive,
  failpoint,
  type Gate,
  type GateFacts,
  gatesOf,
  type LiveContext,
  moveTo,
  type Phase,
  promotePostgres,
  type Refusal,
  type RoutedStore,
  type SwitchContext,
  SwitchMachine,
  WAITS_FOR_RETURN,
} from '@tandem/storage/phase';
import {
  type JsonSeen,
  type PostgresStore,
  storageError,
  verifiedLast,
} from '@tandem/storage/postgres';
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
  /** The same, as requests are served by it. */
  readonly served: PostgresStore;
  readonly queues: QueueClient;
  readonly collections: readonly Collection[];
  readonly requests: RoutedStore;
  readonly watch: CatchUpWatch;
  readonly log: Log;
  readonly observer: Observer;
  readonly verifySchedule: VerifySchedule;
  readonly signal: AbortSignal;
  readonly desiredBy: LiveContext['desiredBy'];
  /** Whether other api processes serve, wherever they are. */
  readonly othersServe: () => Promise<boolean>;
  /** After the emergency brake both sides were brought together. */
  readonly onReunited: () => void;
  /** What this process knows of the gates beside the stores' own state. */
  readonly outside: () => Promise<Pick<GateFacts, 'postgresProblem' | 'disagreement'>>;
}

/** What the api does while it holds the JSON store: it drives the switches, and runs the relay. */
export class JsonSession {
  readonly json: JsonStore;
  readonly #options: JsonSessionOptions;
  readonly #journal;
  readonly #upkeep;
  readonly machine: SwitchMachine;
  #relay: Relay | undefined;
  #consistency: ConsistencyKeeper | undefined;

  constructor(options: JsonSessionOptions) {
    const { json, postgres, queues, collections, log } = options;
    this.json = json;
    this.#options = options;
    this.machine = new SwitchMachine((state, before) => {
      if (before === 'reuniting' && state === 'looking') options.onReunited();
    });
    this.#journal = journalOf(json, queues);
    const stores = { json, postgres };
    this.#upkeep = createQueueUpkeep({
      ...{ queues, stores, collections, journal: this.#journal, log },
      operatingError: storageError,
    });
  }

  get relay(): Relay | undefined {
    return this.#relay;
  }

  context(
    reason: string,
  ): SwitchContext & { readonly json: JsonStore; readonly machine: SwitchMachine } {
    const { json, postgres, collections, watch, log, signal } = this.#options;
    return {
      ...{ json, postgres, collections, watch, log, signal, reason, queues: this.#upkeep },
      machine: this.machine,
      actor: `api ${process.pid}`,
      now: () => new Date(),
    };
  }

  /** Takes one step away from the phase of the JSON store, requests going on. */
  async step(to: Phase, reason: string): Promise<Refusal | undefined> {
    const { phase } = this.json.phase.read();
    if (phase === 'json-primary' && to === 'postgres-primary') {
      const { requests, served, othersServe } = this.#options;
      return promotePostgres({
        ...this.#live(reason),
        ...{ outbox: this.json.outbox, requests, served, othersServe },
        stopRelay: () => this.#stopRelay(0),
      });
    }
    const group = to === 'json-primary' ? 'dual-write-on' : 'dual-write-off';
    const refusal = await moveTo(to, this.context(reason), {
      prepare: () => this.#mayMove(),
      before: { committing: () => failpoint(`${group}.before`) },
      after: { committing: () => failpoint(`${group}.marked`) },
    });
    if (refusal !== undefined) return this.#explained(refusal);
    if (to === 'json-primary') this.follow();
    else await this.#stopRelay(0);
    return undefined;
  }

  /** PostgreSQL is there again, and yet the brake stands: what keeps both sides apart is waited for. */
  async #explained(refusal: Refusal): Promise<Refusal> {
    const problem = this.#relay?.status().lastError;
    if (refusal.waitingFor !== WAITS_FOR_RETURN || problem === undefined) return refusal;
    if ((await this.#known())?.postgresProblem !== null) return refusal;
    return { waitingFor: `both sides to be brought together after the brake: ${problem}` };
  }

  /** Switching dual write on or off needs JSON alone; only that all agree on what is asked for. */
  async #mayMove(): Promise<Refusal | undefined> {
    const disagreement = (await this.#known())?.disagreement ?? null;
    return disagreement === null ? undefined : { waitingFor: disagreement };
  }

  async #known(): Promise<Awaited<ReturnType<JsonSessionOptions['outside']>> | undefined> {
    const { outside, log } = this.#options;
    try {
      return await outside();
    } catch (error) {
      log.debug({ error: sentenceOf(error) }, 'Who else runs could not be asked.');
      return undefined;
    }
  }

  /** Starts what follows a JSON primary. */
  follow(): void {
    const { queues, observer } = this.#options;
    const context = { ...this.context('the relay met PostgreSQL'), observer };
    this.#relay ??= followWithPostgres(context, this.#journal, queues);
    const { json } = this;
    this.#consistency ??= keepJsonConsistent({
      ...{ ...this.#options, json },
      backfill: ({ signal, onProgress }) => {
        const ordered = { ...this.context('a backfill was asked for'), signal };
        return bringUpLive(ordered, json, this.#options.postgres, onProgress);
      },
    });
  }

  /** What `inspectJsonStore` would find, from memory. */
  seen(): JsonSeen {
    const phase = this.json.phase.read();
    return { phase, head: this.json.outbox.head(), openEdits: this.#own().foreignEdits };
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
    this.machine.end();
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
    const { signal, desiredBy, observer } = this.#options;
    return { ...this.context(reason), signal, desiredBy, observer, facts: () => this.#facts() };
  }

  async #facts(): Promise<GateFacts> {
    const { outside, queues } = this.#options;
    const known = await outside();
    if (known.postgresProblem !== null) {
      const unknown = { undecided: 0, overBudget: [], deadLetters: 0, backlog: 0 };
      return { ...known, ...this.#own(), ...unknown, targetProblem: null, verified: null };
    }
    const { phase } = this.#options.postgres;
    const [undecided, overBudget] = [await phase.undecided(), await phase.overBudget()];
    const { total, deadLetters } = await readBacklog(queues.pool);
    const pending = this.#relay?.status().pending ?? 0;
    const counts = { undecided, overBudget, deadLetters, backlog: total + pending };
    const verified = await verifiedLast(queues.pool, 'json');
    const targetProblem = await phase.writeProblem();
    return { ...known, ...this.#own(), ...counts, verified, targetProblem };
  }

  #own(): Pick<GateFacts, 'catchUpSince' | 'mappingErrors' | 'foreignEdits'> {
    const { catchUpSince } = this.json.phase.read();
    const foreignEdits = this.json.externalEdits().filter(({ status }) => status === 'open').length;
    return { catchUpSince, foreignEdits, mappingErrors: this.json.mappingErrorCount };
  }
}
