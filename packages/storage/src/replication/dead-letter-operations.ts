import type { Pool } from 'pg';
import type { AuditLog } from './audit-log.ts';
import {
  actOnDeadLetters,
  type DeadLetterAct,
  type DeadLetterActOptions,
  type DeadLetterActResult,
} from './dead-letter-acts.ts';
import type { DeadLetterFilter } from './dead-letter-filter.ts';
import {
  type DeadLetterGroup,
  type DeadLetterGroups,
  groupDeadLetters,
} from './dead-letter-groups.ts';
import {
  type DeadLetter,
  type DeadLetterList,
  type DeadLetterPage,
  pageDeadLetters,
  readDeadLetter,
} from './dead-letters.ts';

/** Who asks, why, and how much. */
export type DeadLetterOrder = Omit<DeadLetterActOptions, 'pool' | 'audit'>;

/** What an act did, or would do. */
export interface DeadLetterAnswer extends DeadLetterActResult {
  readonly act: DeadLetterAct;
  readonly dryRun: boolean;
  /** Of a dry run: what it would touch, by kind of failure, each with an example; the largest first. */
  readonly groups: readonly DeadLetterGroup[];
}

/** What operators see of the dead letters and order about them. Needs no started pg-boss. */
export interface DeadLetterOperations {
  /** @throws {TandemError} `invalid`, `unavailable`, `storage-failed`, as each of these */
  page(filter: DeadLetterFilter, page: DeadLetterPage): Promise<DeadLetterList>;
  groups(filter: DeadLetterFilter): Promise<DeadLetterGroups>;
  /** @throws {TandemError} `not-found` */
  read(jobId: string): Promise<DeadLetter>;
  /** @throws {TandemError} `precondition-failed` */
  act(
    act: DeadLetterAct,
    filter: DeadLetterFilter,
    order: DeadLetterOrder,
  ): Promise<DeadLetterAnswer>;
}

export interface DeadLetterOperationsOptions {
  /** Stays the caller's. */
  readonly pool: Pool;
  readonly audit: AuditLog;
  /** The operating error that a database's error stands for (`storageError` of `postgres/`). */
  readonly operatingError: (error: unknown) => unknown;
}

/** The operations over pg-boss's job table. */
export function deadLetterOperations({
  pool,
  audit,
  operatingError,
}: DeadLetterOperationsOptions): DeadLetterOperations {
  const translated = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work;
    } catch (error) {
      throw operatingError(error);
    }
  };
  return {
    page: (filter, page) => translated(pageDeadLetters(pool, filter, page)),
    groups: (filter) => translated(groupDeadLetters(pool, filter)),
    read: (jobId) => translated(readDeadLetter(pool, jobId)),
    act: (act, filter, order) => translated(answerOf(act, filter, { ...order, pool, audit })),
  };
}

async function answerOf(
  act: DeadLetterAct,
  filter: DeadLetterFilter,
  options: DeadLetterActOptions,
): Promise<DeadLetterAnswer> {
  const { pool, dryRun = false } = options;
  const result = await actOnDeadLetters(act, filter, options);
  if (!dryRun) return { act, dryRun, ...result, groups: [] };
  const meant = { ...filter, olderThan: new Date(result.asOf) };
  return { act, dryRun, ...result, groups: (await groupDeadLetters(pool, meant)).groups };
}
