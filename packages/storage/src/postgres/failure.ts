import pg from 'pg';
import { isTandemError, sentenceOf, TandemError } from '../errors.ts';

/** What a failed statement means for the one who sent it. */
export type Failure =
  /** The data itself is refused: sending it again fails again. */
  | 'data'
  /** Two transactions stood in each other's way: the same work may be done again at once. */
  | 'retry'
  /** The server is away, busy, shutting down or read-only: try again later. */
  | 'unavailable'
  | 'full'
  /** The server answered that something is wrong with it or its schema. */
  | 'failed';

/**
 * By SQLSTATE, longest prefix first. What a trigger, a function or a view's check raises is about the row it
 * was given.
 * Source: PostgreSQL documentation, appendix A, "PostgreSQL Error Codes".
 */
const BY_SQLSTATE: Readonly<Record<string, Failure>> = {
  '40001': 'retry',
  '40P01': 'retry',
  '53100': 'full',
  '55P03': 'unavailable',
  '25P03': 'unavailable',
  '25P04': 'unavailable',
  '25006': 'unavailable',
  '3D000': 'unavailable',
  '08': 'unavailable',
  '09': 'data',
  '21': 'data',
  '22': 'data',
  '23': 'data',
  '27': 'data',
  '28': 'unavailable',
  '2F': 'data',
  '38': 'data',
  '39': 'data',
  '44': 'data',
  '53': 'unavailable',
  '54': 'data',
  '57': 'unavailable',
  P0: 'data',
};

/** A state that somebody's own function gave (`USING ERRCODE`): of the classes that the SQL standard leaves to
 *  implementations, one that PostgreSQL does not use. */
const RAISED = /^(?!53|54|55|57|58|72|P0|XX)[5-9I-Z]/;

/** Errors of node and of pg itself, which carry no SQLSTATE. */
const CONNECTION_CODE =
  /^(ECONN\w+|EPIPE|ETIMEDOUT|ENOTFOUND|EAI_\w+|EHOST\w+|ENET\w+|EADDR\w+|ERR_SSL\w*|ERR_TLS\w*|ENOENT)$/;
const CONNECTION_SENTENCE =
  /^(Connection terminated|timeout exceeded when trying to connect|timeout expired|Query read timeout|Client has encountered a connection error|Client was closed|Cannot use a pool after calling end|The server does not support SSL)/;

/** The SQLSTATE of a server's error, or `undefined`. */
export const sqlStateOf = (error: unknown): string | undefined =>
  error instanceof pg.DatabaseError ? error.code : undefined;

/** True when the connection is gone or can't be had: nothing is known beyond that. */
export function isConnectionError(error: unknown): boolean {
  if (error instanceof AggregateError)
    return error.errors.some((inner) => isConnectionError(inner));
  if (!(error instanceof Error) || error instanceof pg.DatabaseError) return false;
  const { code } = error as NodeJS.ErrnoException;
  return CONNECTION_CODE.test(code ?? '') || CONNECTION_SENTENCE.test(error.message);
}

/** Tells what kind of failure an error is; `undefined` when it is none of the database's. */
export function failureOf(error: unknown): Failure | undefined {
  if (isConnectionError(error)) return 'unavailable';
  const state = sqlStateOf(error);
  if (state === undefined) return undefined;
  const known = BY_SQLSTATE[state] ?? BY_SQLSTATE[state.slice(0, 2)];
  return known ?? (RAISED.test(state) ? 'data' : 'failed');
}

/** What was asked of the server, its errors as `storageError` tells them. */
export async function translated<T>(work: Promise<T> | (() => Promise<T>)): Promise<T> {
  try {
    return await (typeof work === 'function' ? work() : work);
  } catch (error) {
    throw storageError(error);
  }
}

/**
 * The operating error a caller of the store gets. Errors that are not the database's come back
 * as they are: they are defects, and must not look like an outage.
 */
export function storageError(error: unknown): unknown {
  if (isTandemError(error)) return error;
  const reason = sentenceOf(error);
  const options = { cause: error, detail: { sqlState: sqlStateOf(error) } };
  switch (failureOf(error)) {
    case undefined:
      return error;
    case 'data':
      return new TandemError('invalid', `PostgreSQL refuses this: ${reason}.`, options);
    case 'full':
      return new TandemError('storage-full', `PostgreSQL has no room left: ${reason}.`, options);
    case 'failed':
      return new TandemError('storage-failed', `PostgreSQL failed: ${reason}.`, options);
    case 'retry':
    case 'unavailable':
      return new TandemError('unavailable', `PostgreSQL is not available: ${reason}.`, options);
  }
}
