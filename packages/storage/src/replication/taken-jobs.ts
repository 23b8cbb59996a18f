//   waiting ──take──> in hand: rows locked by an open transaction ──settle──> gone | waits | dead letter
//      ^                 │
//      └── putBack, or the holder dies, or falls silent: as if nobody had ever taken them
import type { Pool, PoolClient } from 'pg';
import type { ClaimedJob } from './apply-batch.ts';
import { QUEUE_SCHEMA } from './boss.ts';
import { isDue } from './claims.ts';
import { type PastFailures, readPastFailures } from './job-failure.ts';
import { inTransaction } from './transaction.ts';

/** The server ends the transaction of a holder that is silent for this long, and others see its jobs. Too
 *  early is harmless: applying is idempotent (I4), and whoever comes next finds it done. */
const SILENCE_MAX_MS = 6_000;
const HEARTBEAT_MS = 2_000;
/** A batch that takes longer is put back, and taken in smaller ones. */
const HOLD_MAX_MS = 60_000;
/** Data of one batch, as text, but for its last job: a thousand large records are more than a process has room
 *  for, and one that dies of them would take them again. */
const BATCH_BYTES_MAX = 16 << 20;

interface TakeBounds {
  readonly silenceMaxMs?: number;
  readonly batchBytesMax?: number;
}

/** A job in hand. */
export interface TakenJob extends ClaimedJob {
  readonly past: PastFailures;
}

class PutBack extends Error {}

/**
 * Jobs in hand. The transaction that locks them is the claim: it needs no mark in the table, no
 * heartbeat, and nobody who takes it back when its holder dies (docs/decisions/0030).
 */
export class TakenJobs {
  readonly jobs: readonly TakenJob[];
  /** There were more, and they were too large to come along. */
  readonly isCut: boolean;
  readonly #decide: (settle: Settle) => void;
  readonly #refuse: (reason: unknown) => void;
  readonly #over: Promise<void>;

  private constructor(
    { jobs, isCut }: Locked,
    decision: PromiseWithResolvers<Settle>,
    over: Promise<void>,
  ) {
    this.jobs = jobs;
    this.isCut = isCut;
    this.#decide = decision.resolve;
    this.#refuse = decision.reject;
    this.#over = over;
  }

  /** Takes the jobs that have waited longest and that nobody has in hand; maybe none. */
  static async take(
    pool: Pool,
    queue: string,
    jobsMax: number,
    { silenceMaxMs = SILENCE_MAX_MS, batchBytesMax = BATCH_BYTES_MAX }: TakeBounds = {},
  ): Promise<TakenJobs> {
    const decision = Promise.withResolvers<Settle>();
    decision.promise.catch(() => undefined);
    const found = Promise.withResolvers<Locked>();
    const bounds = { timeoutMs: HOLD_MAX_MS, idleMs: silenceMaxMs };
    const over = inTransaction(pool, bounds, async (client) => {
      const locked = await lock(client, queue, jobsMax, batchBytesMax);
      found.resolve(locked);
      if (locked.jobs.length === 0) return;
      const settleIn = await heldUntil(decision.promise, client);
      await settleIn(client);
    });
    // Before there are jobs its failure is the taking's; afterwards that of the settling.
    over.catch(found.reject);
    return new TakenJobs(await found.promise, decision, over);
  }

  /** Does in the transaction what becomes of the jobs, and ends it. @throws as `inTransaction` */
  async settle(work: Settle): Promise<void> {
    this.#decide(work);
    await this.#over;
  }

  /** Lets go of them. Never rejects: a connection that is lost lets go of them, too. */
  async putBack(): Promise<void> {
    this.#refuse(new PutBack());
    await this.#over.catch(() => undefined);
  }
}

type Settle = (client: PoolClient) => Promise<void>;

/** Waits for what becomes of the jobs, and keeps the server from taking the holder for dead. */
async function heldUntil(decision: Promise<Settle>, client: PoolClient): Promise<Settle> {
  const heart = setInterval(() => {
    // A connection that is lost is told by the settling.
    client.query('SELECT 1').catch(() => undefined);
  }, HEARTBEAT_MS).unref();
  try {
    return await decision;
  } finally {
    clearInterval(heart);
  }
}

/** The ones beyond the bound are locked, too, until the others are settled. */
const LOCK = `WITH due AS MATERIALIZED (
    SELECT id, retry_count, data::text AS data, output::text AS output FROM ${QUEUE_SCHEMA}.job
    WHERE name = $1 AND state < 'active' AND NOT blocked AND ${isDue('0')}
    ORDER BY priority DESC, created_on LIMIT $2 FOR UPDATE SKIP LOCKED),
  summed AS (
    SELECT *, count(*) OVER () AS locked,
      sum(octet_length(data)) OVER (ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING) AS before FROM due)
  SELECT id, retry_count, data, output, locked::integer FROM summed WHERE coalesce(before, 0) < $3`;

interface Locked {
  readonly jobs: readonly TakenJob[];
  readonly isCut: boolean;
}

async function lock(
  client: PoolClient,
  queue: string,
  jobsMax: number,
  bytesMax: number,
): Promise<Locked> {
  const { rows } = await client.query<[string, number, string | null, string | null, number]>({
    ...{ text: LOCK, values: [queue, jobsMax, bytesMax], rowMode: 'array' },
  });
  const jobs = rows.map(([id, retryCount, data, output]) => ({
    ...{ id, retryCount, data: data === null ? undefined : JSON.parse(data) },
    past: readPastFailures(output === null ? undefined : JSON.parse(output)),
  }));
  return { jobs, isCut: jobs.length < (rows[0]?.[4] ?? 0) };
}
