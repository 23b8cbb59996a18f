import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const AUTOCANNON = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'autocannon');
const CONNECTIONS = 64;
/** A peer may take longer for one answer than a turn lasts: that makes it slow, not failed. */
const ANSWER_TIMEOUT_SECONDS = 120;

const BODY = JSON.stringify({
  ...{ date: '2025-12-07', business: 'שופרסל', category: 'Groceries', amount: 150.5 },
  ...{ account: 'Cash', notes: 'Weekly shopping' },
});

export interface Fired {
  readonly perSecond: number;
  readonly p99Ms: number;
  readonly answered: number;
}

interface Report {
  readonly requests: { readonly average: number; readonly total: number };
  readonly latency: { readonly p99: number };
  readonly non2xx: number;
  readonly errors: number;
  /** Seconds. */
  readonly duration: number;
}

/** What shows only that it works: it takes whole seconds, or a number of requests. */
const FEW_REQUESTS = 200;

const lengthOf = (seconds: number): string[] =>
  seconds < 1 ? ['-a', String(FEW_REQUESTS)] : ['-d', String(seconds)];

/** Asks as fast as it is answered, over 64 connections, from a process of its own. */
async function fire(
  url: string,
  seconds: number,
  args: readonly string[],
  connections = CONNECTIONS,
): Promise<Fired> {
  const timeout = ['-t', String(ANSWER_TIMEOUT_SECONDS)];
  const given = [
    '--json',
    '-c',
    String(connections),
    ...timeout,
    ...lengthOf(seconds),
    ...args,
    url,
  ];
  const { stdout } = await promisify(execFile)(AUTOCANNON, given);
  const { requests, latency, non2xx, errors, duration } = JSON.parse(stdout) as Report;
  if (non2xx + errors > 0) throw new Error(`${url} failed ${non2xx + errors} times:\n${stdout}`);
  return { perSecond: requests.total / duration, p99Ms: latency.p99, answered: requests.total };
}

/**
 * Creates records.
 * @param options.perSecond at most so many, evenly; latencies then count from when each was due
 * @param options.connections over how many; 64 unless told
 */
export const firePosts = (
  origin: string,
  seconds: number,
  options: { readonly perSecond?: number; readonly connections?: number } = {},
): Promise<Fired> =>
  fire(
    `${origin}/api/v1/expense`,
    seconds,
    [
      ...['-m', 'POST', '-H', 'content-type=application/json', '-b', BODY],
      ...(options.perSecond === undefined ? [] : ['-R', String(options.perSecond)]),
    ],
    options.connections,
  );

/** Reads the first record, which must be there. */
export const fireGets = (origin: string, seconds: number): Promise<Fired> =>
  fire(`${origin}/api/v1/expense/1`, seconds, []);

/** Reads the first page of 50. */
export const firePages = (origin: string, seconds: number): Promise<Fired> =>
  fire(`${origin}/api/v1/expense?limit=50`, seconds, []);
