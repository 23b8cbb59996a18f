import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';

const AUTOCANNON = join(import.meta.dirname, '..', '..', 'node_modules', '.bin', 'autocannon');
const CONNECTIONS = 64;

const BODY = JSON.stringify({
  ...{ date: '2025-12-07', business: 'שופרסל', category: 'Groceries', amount: 150.5 },
  ...{ account: 'Cash', notes: 'Weekly shopping' },
});

export interface Fired {
  readonly perSecond: number;
  readonly p99Ms: number;
}

interface Report {
  readonly requests: { readonly average: number; readonly total: number };
  readonly latency: { readonly p99: number };
  readonly non2xx: number;
  readonly errors: number;
}

/** Asks as fast as it is answered, over 64 connections, from a process of its own. */
async function fire(url: string, seconds: number, args: readonly string[]): Promise<Fired> {
  const given = ['--json', '-c', String(CONNECTIONS), '-d', String(seconds), ...args, url];
  const { stdout } = await promisify(execFile)(AUTOCANNON, given);
  const { requests, latency, non2xx, errors } = JSON.parse(stdout) as Report;
  if (non2xx + errors > 0) throw new Error(`${url} failed ${non2xx + errors} times:\n${stdout}`);
  return { perSecond: requests.total / seconds, p99Ms: latency.p99 };
}

export const firePosts = (origin: string, seconds: number): Promise<Fired> =>
  fire(`${origin}/api/v1/expense`, seconds, [
    ...['-m', 'POST', '-H', 'content-type=application/json', '-b', BODY],
  ]);

/** Reads the first record, which must be there. */
export const fireGets = (origin: string, seconds: number): Promise<Fired> =>
  fire(`${origin}/api/v1/expense/1`, seconds, []);
