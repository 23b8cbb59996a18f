//   start ──> beat (row upserted) ── every 2 s ──> stop (row removed)
//   killed: the row ages; not live after 15 s, removed after a day, or by the next process on its host
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Pool } from 'pg';
import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { LiveProcess, Processes, ProcessFacts, ProcessKind } from '../phase/index.ts';
import { storageError } from './failure.ts';
import { isoInstant } from './phase-row.ts';
import { type Row, rows } from './transaction.ts';

const BEAT_INTERVAL_MS = 2_000;
/** Not heard of for this long: not live. */
const LIVE_FOR_S = 15;
/** Kept this long for whoever wonders what ran. */
const KEPT_FOR_S = 24 * 60 * 60;

export interface ProcessRegistryOptions {
  /** Stays the caller's. */
  readonly pool: Pool;
  readonly kind: ProcessKind;
  readonly log: Log;
}

/**
 * Tells the database that this process runs and what it believes:
 *
 *     const registry = new ProcessRegistry({ pool, kind: 'api', log });
 *     registry.start(() => facts);
 *     … await registry.stop();
 */
export class ProcessRegistry implements Processes {
  readonly id = randomUUID();
  readonly #options: ProcessRegistryOptions;
  readonly #startedAt = new Date();
  #facts: (() => ProcessFacts) | undefined;
  #timer: NodeJS.Timeout | undefined;
  #beating: Promise<void> | undefined;
  #hasTidied = false;

  constructor(options: ProcessRegistryOptions) {
    this.#options = options;
  }

  /** Beats at once and every 2 s. A database that is away costs nothing but the beats. */
  start(facts: () => ProcessFacts): void {
    this.#facts = facts;
    this.#timer = setInterval(() => this.beatNow(), BEAT_INTERVAL_MS);
    this.#timer.unref();
    this.beatNow();
  }

  /** Beats out of turn, when something worth knowing has changed. */
  beatNow(): void {
    const facts = this.#facts;
    if (facts === undefined || this.#beating !== undefined) return;
    this.#beating = this.beat(facts())
      .catch((error: unknown) => {
        const fields = { error: sentenceOf(error) };
        this.#options.log.debug(fields, 'The process could not tell that it runs.');
      })
      .finally(() => {
        this.#beating = undefined;
      });
  }

  /** Writes this process's row. @throws {TandemError} `unavailable`, `storage-failed` */
  async beat(facts: ProcessFacts): Promise<void> {
    const { pool, kind } = this.#options;
    try {
      await rows(pool, BEAT, [
        ...[this.id, kind, process.pid, hostname(), this.#startedAt.toISOString()],
        ...[facts.effective, facts.epoch, facts.desired, JSON.stringify(facts.flags)],
        ...[facts.ready, facts.waitingFor, facts.catchUp && JSON.stringify(facts.catchUp)],
        facts.work && JSON.stringify(facts.work),
      ]);
      if (!this.#hasTidied) await this.#tidy();
      this.#hasTidied = true;
    } catch (error) {
      throw storageError(error);
    }
  }

  live(): Promise<readonly LiveProcess[]> {
    return liveProcesses(this.#options.pool);
  }

  /** The live processes but this one; of this host only those that really run. */
  async others(): Promise<readonly LiveProcess[]> {
    const live = await this.live();
    const runs = ({ host, pid }: LiveProcess) => host !== hostname() || isAlive(pid);
    return live.filter((one) => one.id !== this.id && runs(one));
  }

  /** The process is not live any more. Idempotent; never throws. */
  async stop(): Promise<void> {
    this.#facts = undefined;
    clearInterval(this.#timer);
    await this.#beating;
    try {
      await rows(this.#options.pool, 'DELETE FROM processes WHERE id = $1', [this.id]);
    } catch (error) {
      const fields = { error: sentenceOf(error) };
      this.#options.log.debug(fields, 'The process could not tell that it ends.');
    }
  }

  /** Removes old rows, and those of processes of this host that were killed. One that only seems to
   *  be gone (another container of the same host name) writes its row again with its next beat. */
  async #tidy(): Promise<void> {
    const { pool } = this.#options;
    await rows(pool, `DELETE FROM processes WHERE seen_at < now() - interval '${KEPT_FOR_S} s'`);
    const neighbours = await rows(pool, 'SELECT id, pid FROM processes WHERE host = $1', [
      hostname(),
    ]);
    const gone = neighbours.filter(([id, pid]) => id !== this.id && !isAlive(Number(pid)));
    if (gone.length === 0) return;
    await rows(pool, 'DELETE FROM processes WHERE id = ANY($1)', [gone.map(([id]) => id)]);
  }
}

/** Everybody who was heard of lately, without being one of them. @throws as `Processes.live` */
export async function liveProcesses(pool: Pool): Promise<readonly LiveProcess[]> {
  try {
    return (await rows(pool, LIVE)).map(processOfRow);
  } catch (error) {
    throw storageError(error);
  }
}

const BEAT = `INSERT INTO processes (id, kind, pid, host, started_at, effective, epoch, desired,
    flags, ready, waiting_for, catch_up, work, seen_at)
  VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, now())
  ON CONFLICT (id) DO UPDATE SET effective = excluded.effective, epoch = excluded.epoch,
    desired = excluded.desired, flags = excluded.flags, ready = excluded.ready,
    waiting_for = excluded.waiting_for, catch_up = excluded.catch_up, work = excluded.work,
    seen_at = excluded.seen_at`;

const LIVE = `SELECT id, kind, pid, host, ${isoInstant('started_at')}, ${isoInstant('seen_at')},
    effective, epoch, desired, flags, ready, waiting_for, catch_up, work
  FROM processes WHERE seen_at > now() - interval '${LIVE_FOR_S} s'
  ORDER BY kind, started_at, id`;

function processOfRow(row: Row): LiveProcess {
  const [id, kind, pid, host, startedAt, seenAt, effective, epoch, desired, flags, ...rest] = row;
  const [ready, waitingFor, catchUp, work] = rest;
  return {
    ...{ id, kind, pid, host, startedAt, seenAt, effective, epoch, desired, ready, waitingFor },
    flags: JSON.parse(String(flags)),
    catchUp: catchUp === null ? null : JSON.parse(String(catchUp)),
    work: work === null ? null : JSON.parse(String(work)),
  } as LiveProcess;
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
