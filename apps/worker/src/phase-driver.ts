//   postgres-only ──(other desired)──▶ postgres-primary ──┬─▶ postgres-only   PostgreSQL alone
//                                                         └─▶ json-primary    seal, drain, commit
//
// The worker holds the JSON lock in postgres-primary, so it drives the switches from there.
import type { Collection } from '@tandem/storage/collections';
import type { CatchUpWatch } from '@tandem/storage/consistency';
import { isTandemError, sentenceOf } from '@tandem/storage/errors';
import type { JsonStore } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import type { Observer } from '@tandem/storage/observer';
import {
  disagreement,
  failpoint,
  type Gate,
  type GateFacts,
  gatesOf,
  type LiveContext,
  type MoveContext,
  meetAgain,
  mend,
  moveTo,
  nextPhase,
  type Phase,
  type Processes,
  primaryOf,
  promoteJson,
  type Refusal,
  type SwitchContext,
  SwitchMachine,
} from '@tandem/storage/phase';
import {
  type PostgresStore,
  relayCursor,
  storageError,
  verifiedLast,
} from '@tandem/storage/postgres';
import {
  createQueueUpkeep,
  createRelayedJournal,
  drained,
  jobsDueWithin,
  QUEUES,
  type QueueClient,
  readBacklog,
} from '@tandem/storage/replication';

/** How often both stores remember how far the other is. */
const MEET_INTERVAL_MS = 5_000;
const RETRY_INTERVAL_MS = 5_000;
const NOTE_INTERVAL_MS = 2_000;
/** Also jobs that wait for another try count as missing. */
const QUEUE_AGE_MAX_MS = 24 * 3_600_000;

export interface PhaseDriverOptions {
  readonly json: JsonStore;
  readonly postgres: PostgresStore;
  readonly queues: QueueClient;
  readonly collections: readonly Collection[];
  readonly processes: Processes;
  readonly watch: CatchUpWatch;
  readonly log: Log;
  readonly signal: AbortSignal;
  readonly desiredBy: LiveContext['desiredBy'];
  readonly observer: Observer;
}

/** Moves the phase for as long as this process holds the JSON store. */
export class PhaseDriver {
  readonly #options: PhaseDriverOptions;
  readonly #upkeep;
  readonly #machine = new SwitchMachine();
  #retryAtMs = 0;
  #noteAtMs = 0;
  #meetAtMs = 0;
  #waitingFor: string | null = null;
  #unsettled = false;

  constructor(options: PhaseDriverOptions) {
    const { json, postgres, queues, collections, log } = options;
    this.#options = options;
    const journal = createRelayedJournal({
      outbox: json.outbox,
      pool: queues.pool,
      cursor: relayCursor,
      pairId: () => json.phase.read().pairId,
    });
    const stores = { json, postgres };
    this.#upkeep = createQueueUpkeep({
      ...{ queues, stores, collections, journal, log },
      operatingError: storageError,
    });
  }

  /** The row was seen sealed. Outside a step of this process nobody else may lift that. */
  sawSeal(): void {
    this.#unsettled = true;
  }

  /** Why the phase is not the desired one, if it is known. */
  get waitingFor(): string | null {
    return this.#waitingFor;
  }

  context(reason: string): SwitchContext & { readonly machine: SwitchMachine } {
    const { json, postgres, collections, watch, log } = this.#options;
    return {
      ...{ json, postgres, collections, watch, log, reason, queues: this.#upkeep },
      machine: this.#machine,
      actor: `worker ${process.pid}`,
      now: () => new Date(),
    };
  }

  /** Notes now and then that JSON holds all that PostgreSQL had: what the emergency brake can say. A change
   *  that is a dead letter is one that it lacks. */
  async noteFollowed(whenever: 'due' | 'now'): Promise<void> {
    if (whenever === 'due' && performance.now() < this.#noteAtMs) return;
    this.#noteAtMs = performance.now() + NOTE_INTERVAL_MS;
    const { json, queues, postgres, log } = this.#options;
    const at = new Date().toISOString();
    try {
      if ((await postgres.phase.read()).catchUpSince !== null) return;
      if ((await jobsDueWithin(queues.pool, QUEUES.json, QUEUE_AGE_MAX_MS)) > 0) return;
      const { queues: counts } = await readBacklog(queues.pool);
      if ((counts[QUEUES.json]?.deadLetters ?? 0) > 0) return;
      const { archived } = json.phase.read();
      await json.phase.update({ followedUntil: at, ...(archived && { archived: null }) });
    } catch (error) {
      log.debug({ error: sentenceOf(error) }, 'It could not be noted how far JSON follows.');
    }
  }

  /**
   * Looks now and then whether the database is still the one it was, and lets each side remember how far
   * the other is (I12).
   * @returns true when JSON must be brought up by difference before it follows on
   * @throws {TandemError} `mismatched-stores`
   */
  async meetAgain(whenever: 'due' | 'now'): Promise<boolean> {
    if (whenever === 'due' && performance.now() < this.#meetAtMs) return false;
    this.#meetAtMs = performance.now() + MEET_INTERVAL_MS;
    const { json, postgres, log } = this.#options;
    try {
      // A phase that moved is looked at by whoever follows it.
      if ((await postgres.phase.read()).epoch !== json.phase.read().epoch) return false;
      const met = await meetAgain(this.context('the worker looks at PostgreSQL again'));
      return met === 'catch-up';
    } catch (error) {
      if (isTandemError(error, 'mismatched-stores')) throw error;
      log.debug({ error: sentenceOf(error) }, 'It could not be noted how far the stores are.');
      return false;
    }
  }

  /** 5 → 4: the difference is brought over afterwards, by whoever follows.
   *  @returns why it was not done */
  async leavePostgresOnly(desired: Phase): Promise<Refusal | undefined> {
    const to = 'postgres-primary';
    const refusal = await moveTo(to, this.context(reasonOf(desired)), {
      prepare: () => this.#mayMove(),
      before: { committing: () => failpoint('json-on.before') },
      after: {
        committing: () => failpoint('json-on.committed'),
        telling: () => failpoint('json-on.told'),
      },
    });
    this.#waitingFor = refusal?.waitingFor ?? null;
    if (refusal === undefined) sayMoved(this.#options.log, 'postgres-only', to);
    return refusal;
  }

  /**
   * Takes the next step from postgres-primary if another phase is desired and nothing stands in the
   * way.
   * @returns true when the phase has moved: JSON does not follow any more
   */
  async drive(desired: Phase): Promise<boolean> {
    const settled = await this.#settle();
    if (this.#hasMoved()) return true;
    if (!settled) return false;
    const next = nextPhase('postgres-primary', desired);
    if (next === undefined) {
      this.#waitingFor = null;
      return false;
    }
    if (performance.now() < this.#retryAtMs) return false;
    this.#retryAtMs = performance.now() + RETRY_INTERVAL_MS;
    const { log } = this.#options;
    try {
      const refusal = await this.#step(next, desired);
      if (refusal === undefined) {
        sayMoved(log, 'postgres-primary', next);
        return true;
      }
      this.#stay(next, refusal.waitingFor);
    } catch (error) {
      this.#stay(next, sentenceOf(error));
      this.#unsettled = true;
      return this.#hasMoved();
    }
    return false;
  }

  /** Committed in JSON, although PostgreSQL could not be told, or a disk that failed in the commit came
   *  back with it: an api process waits for the lock all the same. */
  #hasMoved(): boolean {
    const isKnown = !this.#machine.jsonInDoubt;
    return isKnown && primaryOf(this.#options.json.phase.read().phase) === 'json';
  }

  /** Agrees the stores after a step that failed halfway: its seal may stand (or arrive) yet.
   *  @returns false while they can't be agreed */
  async #settle(): Promise<boolean> {
    if (!this.#unsettled && this.#machine.state === 'serving') return true;
    try {
      await mend(this.context('a step that failed halfway'), false);
      this.#unsettled = false;
      return true;
    } catch (error) {
      this.#options.log.debug({ error: sentenceOf(error) }, 'The stores can not be agreed yet');
      return false;
    }
  }

  #stay(next: Phase, waitingFor: string): void {
    if (waitingFor !== this.#waitingFor) {
      const sentence = `Staying in postgres-primary, not ${next}: ${waitingFor}`;
      this.#options.log.warn({ from: 'postgres-primary', to: next, waitingFor }, sentence);
    }
    this.#waitingFor = waitingFor;
  }

  async #step(next: Phase, desired: Phase): Promise<Refusal | undefined> {
    const { signal, desiredBy, observer } = this.#options;
    const context = this.context(reasonOf(desired));
    if (next === 'postgres-only') return this.#endDualWrite(context);
    return promoteJson({
      ...{ ...context, signal, desiredBy, observer },
      facts: () => this.#facts(),
      drained: (timeoutMs) => drained(this.#options.queues.pool, QUEUES.json, timeoutMs),
    });
  }

  async #endDualWrite(context: MoveContext): Promise<Refusal | undefined> {
    const refusal = await moveTo('postgres-only', context, {
      prepare: async () => {
        const waits = await this.#mayMove();
        if (waits === undefined) await this.noteFollowed('now');
        return waits;
      },
      before: { committing: () => failpoint('json-off.before') },
      after: {
        committing: () => failpoint('json-off.committed'),
        telling: () => failpoint('json-off.told'),
      },
    });
    if (refusal !== undefined) return refusal;
    // The phase has moved, whatever comes of this: what stays is dropped by a worker's next look.
    await this.#upkeep.dropCovered('json').catch((error: unknown) => {
      const fields = { error: sentenceOf(error) };
      this.#options.log.warn(fields, 'Phase: jobs that nobody needs are still to be dropped.');
    });
    return undefined;
  }

  async #mayMove(): Promise<Refusal | undefined> {
    const sentence = disagreement(await this.#options.processes.live());
    return sentence === null ? undefined : { waitingFor: sentence };
  }

  /** The gates of a move from here, as they stand now. */
  async gates(): Promise<readonly Gate[]> {
    return gatesOf(await this.#facts());
  }

  async #facts(): Promise<GateFacts> {
    const { postgres, queues, processes, json } = this.#options;
    const { catchUpSince } = await postgres.phase.read();
    const { queues: counts, deadLetters } = await readBacklog(queues.pool);
    const { waiting, active } = counts[QUEUES.json] ?? { waiting: 0, active: 0 };
    return {
      ...{ catchUpSince, deadLetters, postgresProblem: null },
      mappingErrors: json.mappingErrorCount,
      undecided: await postgres.phase.undecided(),
      overBudget: await postgres.phase.overBudget(),
      foreignEdits: json.externalEdits().filter(({ status }) => status === 'open').length,
      backlog: waiting + active,
      targetProblem: json.diskTrouble().writes?.sentence ?? null,
      verified: await verifiedLast(queues.pool, 'postgres'),
      disagreement: disagreement(await processes.live()),
    };
  }
}

const reasonOf = (desired: Phase): string => `the flags ask for ${desired}`;

function sayMoved(log: Log, from: Phase, to: Phase): void {
  log.info({ from, to }, `Phase: moved from ${from} to ${to}.`);
}
