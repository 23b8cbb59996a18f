//   difference (serving) ─▶ rounds (serving) ─▶ hold writes, seal ─▶ last round ─▶ compare
//        ─▶ hold reads, committing mark ─▶ COMMIT epoch + 1 ─▶ told ─▶ serve PostgreSQL
//   anything before the mark: lift the seal, serve JSON. After it: only PostgreSQL's answer counts.
//   What follows what, and what undoes it, stands in `switch-table.ts`.

import type { Item } from '../changes/index.ts';
import { TandemError } from '../errors.ts';
import type { Outbox } from '../replication/index.ts';
import type { Store } from '../store.ts';
import { compareHeads } from './compare-heads.ts';
import { failpoint } from './failpoint.ts';
import { closedGates, gatesOf, gateValues } from './gates.ts';
import { beginPause, catchUpLive, type LiveContext, type Pause } from './live-context.ts';
import { asksFor, type MoveWork, moveTo, type Refusal } from './move.ts';
import type { RoutedStore } from './routed-store.ts';

const ROUND_ITEMS = 1_000;
/** A round that leaves no more than this is short enough for the pause. */
const LAST_ROUND_ITEMS_MAX = 200;
const ROUNDS_MAX = 50;
/**
 * How long reads wait for the answer to the commit; it takes milliseconds. Then they go on from JSON,
 * which has every write that was acknowledged, unless another api may have got to PostgreSQL meanwhile.
 */
const READS_HELD_MS = 500;

/** What the driver in the api process adds: it has the journal and the requests. */
export interface PromoteContext extends LiveContext {
  readonly outbox: Outbox;
  readonly requests: RoutedStore;
  /** PostgreSQL as requests are served by it: what they read late is judged by its own snapshot (I6). */
  readonly served: Store;
  /** Whether other processes serve: where this one waits for an answer they may write already. */
  readonly othersServe: () => Promise<boolean>;
  /** Stops relaying: from the commit on the journal holds nothing that is not in PostgreSQL. */
  readonly stopRelay: () => Promise<void>;
}

/** What was carried over: ids by collection, and keys. */
interface Touched {
  readonly ids: Map<string, Set<number>>;
  readonly keys: Set<string>;
}

/**
 * 3 → 4 while requests come in. Writes wait from the seal to the commit; reads go on until the commit
 * is sent.
 * @returns why it was not done; `undefined` when PostgreSQL is the primary
 * @throws {TandemError} when the pause took too long or a store failed; everything is as before,
 *   unless the answer to the commit is still unknown: then the `committing` mark stands
 */
export async function promotePostgres(context: PromoteContext): Promise<Refusal | undefined> {
  const { served, requests, queues, log } = context;
  const promotion = new Promotion(context);
  let refusal: Refusal | undefined;
  try {
    refusal = await moveTo('postgres-primary', context, promotion.work());
  } finally {
    promotion.serveAgain();
  }
  if (refusal !== undefined) return refusal;
  requests.serve(served);
  await failpoint('promote.released');
  const { pauseMs } = promotion;
  context.observer?.switched({ to: 'postgres', pauseMs });
  log.info({ pauseMs }, `Phase: PostgreSQL is primary; writes waited ${pauseMs} ms.`);
  await context.stopRelay();
  await queues.dropCovered('postgres');
  return undefined;
}

/** What one switch has seen and carried over. */
class Promotion {
  readonly #context: PromoteContext;
  readonly #touched: Touched = { ids: new Map(), keys: new Set() };
  #gates: Record<string, unknown> = {};
  #covered = 0;
  #pause: Pause | undefined;
  #readsGoOn: NodeJS.Timeout | undefined;
  #othersServe = true;
  pauseMs = 0;

  constructor(context: PromoteContext) {
    this.#context = context;
  }

  work(): MoveWork {
    const { requests, desiredBy } = this.#context;
    return {
      prepare: () => this.#prepare(),
      before: {
        sealing: () => requests.hold('writes'),
        committing: () => this.#holdReads(),
      },
      after: {
        sealing: () => this.#bounded(failpoint('promote.sealed')),
        marking: () => failpoint('promote.committing-marked'),
        committing: () => {
          clearTimeout(this.#readsGoOn);
          requests.hold('all');
          return failpoint('promote.committed');
        },
        telling: async () => {
          await failpoint('promote.told');
          // What is left to be seen to shall not be waited for.
          requests.serve(this.#context.served);
          this.pauseMs = this.#elapsedMs();
        },
      },
      drain: () => this.#drain(),
      bounded: (act) => this.#bounded(act),
      isWanted: asksFor('json-primary', 'postgres-primary', desiredBy),
      evidence: () => ({
        gates: this.#gates,
        carriedOver: touchedCount(this.#touched),
        pauseMs: this.#elapsedMs(),
      }),
    };
  }

  /** Where JSON is the primary still, or that is not known: then reads go on, and writes wait for it. */
  serveAgain(): void {
    const { json, requests } = this.#context;
    clearTimeout(this.#readsGoOn);
    const { committing, phase, sealed } = json.phase.read();
    if (phase !== 'json-primary') return;
    if (committing !== null && this.#othersServe) requests.hold('all');
    else if (committing !== null || sealed) requests.hold('writes');
    else requests.serve(json);
  }

  #elapsedMs(): number {
    return this.#pause?.elapsedMs() ?? 0;
  }

  async #prepare(): Promise<Refusal | undefined> {
    const { context, json, postgres, outbox } = { context: this.#context, ...this.#context };
    const gates = gatesOf(await context.facts());
    this.#gates = gateValues(gates);
    const closed = closedGates(gates);
    if (closed !== undefined) return { waitingFor: closed };
    // Everything after this position is carried over; everything before it is in the difference.
    this.#covered = outbox.head();
    await failpoint('promote.before-difference');
    const incomplete = await catchUpLive(context, json, postgres);
    if (incomplete !== undefined) return { waitingFor: incomplete };
    for (
      let round = 0;
      outbox.head() - this.#covered > LAST_ROUND_ITEMS_MAX && round < ROUNDS_MAX;
      round += 1
    ) {
      this.#covered = await carryOver(context, this.#covered, this.#touched);
    }
    await failpoint('promote.before-seal');
    this.#othersServe = await context.othersServe();
    this.#pause = beginPause(context);
    return undefined;
  }

  async #drain(): Promise<undefined> {
    const { json, postgres } = this.#context;
    await this.#bounded(carryOver(this.#context, this.#covered, this.#touched));
    const ids = new Map([...this.#touched.ids].map(([name, some]) => [name, [...some]]));
    const written = { ids, keys: [...this.#touched.keys] };
    await this.#bounded(compareHeads(json, postgres, this.#context.collections, written));
    await this.#bounded(json.idHighWater().then((marks) => postgres.raiseIdHighWater(marks)));
    await this.#bounded(failpoint('promote.carried-over'));
  }

  #bounded<T>(act: Promise<T>): Promise<T> {
    return this.#pause?.wait(act) ?? act;
  }

  #holdReads(): void {
    const { requests } = this.#context;
    requests.hold('all');
    if (this.#othersServe) return;
    this.#readsGoOn = setTimeout(() => requests.hold('writes'), READS_HELD_MS);
  }
}

/** Applies everything after a position of the journal. @returns the position reached */
async function carryOver(
  { outbox, postgres }: PromoteContext,
  from: number,
  touched: Touched,
): Promise<number> {
  let covered = from;
  const head = outbox.head();
  while (covered < head) {
    const entries = await outbox.read(covered, ROUND_ITEMS);
    const items = entries.map(({ item }) => item);
    const results = await postgres.apply(items);
    for (const [index, item] of items.entries()) {
      note(touched, item);
      const verdict = results[index]?.verdict;
      if (verdict === 'apply' || verdict === 'no-op') continue;
      throw new TandemError('unavailable', `PostgreSQL did not take a change (${verdict}).`);
    }
    covered = entries.at(-1)?.seq ?? head;
  }
  return covered;
}

function note(touched: Touched, item: Item): void {
  if (item.kind === 'key') return void touched.keys.add(item.key.key);
  const { collection, id } = item.change;
  const ids = touched.ids.get(collection) ?? new Set();
  touched.ids.set(collection, ids.add(id));
}

const touchedCount = (touched: Touched): number =>
  [...touched.ids.values()].reduce((sum, ids) => sum + ids.size, 0);
