import type { Command } from '@tandem/storage/changes';
import type { Collection, FieldValues } from '@tandem/storage/collections';
import type { Store } from '@tandem/storage/store';
import { expenseValues } from '../records.ts';
import { type Written, writtenOf } from './written.ts';

/** Made beforehand: making values is no part of writing them. */
const DISTINCT_RECORDS = 4_096;

/** What they do: `create` adds records; `update` changes those that are there, so that the store stays as
 *  large as it is. */
export type Work = { readonly op: 'create' } | { readonly op: 'update'; readonly records: number };

/** Visits every id of a store in an order that jumps about. */
const STRIDE = 7_919;

/** How long writers go on: a time, or until something has ended. */
type Until = { readonly ms: number } | { readonly ended: Promise<unknown> };

/** Concurrent writers, each with one write under way at a time. Each writes once at least, however short
 *  the time or slow the machine: a rate of nothing compares with nothing. */
export async function runWriters(
  store: Store,
  expense: Collection,
  writers: number,
  work: Work,
  until: Until,
): Promise<Written> {
  const latencies: number[] = [];
  let over = false;
  if ('ended' in until) {
    const end = (): void => {
      over = true;
    };
    until.ended.then(end, end);
  }
  const values = Array.from({ length: DISTINCT_RECORDS }, (_, n) => expenseValues(n));
  let next = 0;
  const command = (): Command => {
    const n = next++;
    const set = values[n % DISTINCT_RECORDS] as FieldValues;
    if (work.op === 'create') return { op: 'create', collection: expense, values: set };
    return { op: 'update', collection: expense, id: ((n * STRIDE) % work.records) + 1, set };
  };
  const start = performance.now();
  const deadline = 'ms' in until ? start + until.ms : Number.POSITIVE_INFINITY;
  const write = async (): Promise<void> => {
    let from = performance.now();
    do {
      await store.write({ command: command() });
      const now = performance.now();
      latencies.push(now - from);
      from = now;
    } while (!over && from < deadline);
  };
  await Promise.all(Array.from({ length: writers }, write));
  const seconds = (performance.now() - start) / 1000;
  return writtenOf(latencies, seconds);
}
