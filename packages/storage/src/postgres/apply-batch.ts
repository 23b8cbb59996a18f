//   BEGIN; bounds; shared switch lock; apply lock ─> row locks ─> tombstones
//        ─> judge each item in order, over what the ones before it leave
//        ─> records, tombstones ─> keys ─> divergences ─> COMMIT
import type { PoolClient } from 'pg';
import { type Change, type Item, judge, type StoredState } from '../changes/index.ts';
import { sentenceOf } from '../errors.ts';
import type { ApplyResult } from '../store.ts';
import { type Divergence, recordDivergences } from './divergences.ts';
import { failureOf, storageError } from './failure.ts';
import { applyKeys } from './idempotency-keys.ts';
import { isolating, withRetries } from './isolation.ts';
import { APPLY_LOCK, boundsStatement, exclusive, SWITCH_LOCK, shared } from './locks.ts';
import { lockRecords, type NextState, readTombstones, writeStates } from './record-states.ts';
import {
  isStorableId,
  type RecordTable,
  recordOfRow,
  rowOfText,
  type StorableRow,
  type Unstorable,
} from './record-table.ts';
import type { StoreContext } from './store-context.ts';
import { transaction } from './transaction.ts';

const BEGIN = [boundsStatement(), shared(SWITCH_LOCK), exclusive(APPLY_LOCK)];

const refused = (error: string): ApplyResult => ({ verdict: 'rejected', error, permanent: true });

/**
 * Applies items as the secondary, in one transaction: durable when it resolves. Several changes of
 * one record are reduced to the newest. An item that the table refuses is rejected alone.
 * @throws {TandemError} when the database is away, full or failing: then for all of them
 */
export async function applyBatch(
  context: StoreContext,
  items: readonly Item[],
): Promise<readonly ApplyResult[]> {
  if (items.length === 0) return [];
  const run = (some: readonly Item[]) => {
    // Before the transaction: meanwhile another one may have the lock.
    const results = new Array<ApplyResult>(some.length);
    const grouped = changesByCollection(context, some, results);
    return withRetries(() =>
      transaction(context.pool, BEGIN, (client) =>
        applyItems(context, client, { items: some, grouped, results }),
      ),
    );
  };
  try {
    return await isolating(items, run, (_item, error) => {
      if (failureOf(error) !== 'data') throw error;
      return refused(`${sentenceOf(error)}.`);
    });
  } catch (error) {
    throw storageError(error);
  }
}

interface Prepared {
  readonly items: readonly Item[];
  readonly grouped: ReadonlyMap<string, readonly Indexed[]>;
  /** Those of what can't be stored are there already. */
  readonly results: ApplyResult[];
}

async function applyItems(
  context: StoreContext,
  client: PoolClient,
  { items, grouped, results }: Prepared,
): Promise<readonly ApplyResult[]> {
  const divergences: Divergence[] = [];
  for (const [name, changes] of grouped) {
    const table = context.tables.get(name) as RecordTable;
    divergences.push(...(await applyChanges(client, table, changes, results)));
  }
  const keys = items.flatMap((item) => (item.kind === 'key' ? [item.key] : []));
  const stored = new Set(await applyKeys(client, keys, context.now()));
  for (const [index, item] of items.entries()) {
    if (item.kind !== 'key') continue;
    results[index] = { verdict: stored.delete(item.key.key) ? 'apply' : 'no-op' };
  }
  await recordDivergences(client, divergences, 'postgres', context.now());
  return results;
}

interface Indexed {
  readonly index: number;
  readonly change: Change;
  /** `undefined` for a deletion. */
  readonly row: StorableRow | undefined;
}

/** The changes a table can hold, in the store's order of collections; the others are rejected. */
function changesByCollection(
  context: StoreContext,
  items: readonly Item[],
  results: ApplyResult[],
): ReadonlyMap<string, readonly Indexed[]> {
  const grouped = new Map<string, Indexed[]>([...context.tables.keys()].map((name) => [name, []]));
  for (const [index, item] of items.entries()) {
    if (item.kind !== 'change') continue;
    const { change } = item;
    const group = grouped.get(change.collection);
    const row = rowOf(context.tables.get(change.collection), change);
    if (row !== undefined && 'reason' in row) results[index] = refused(`${row.reason}.`);
    else group?.push({ index, change, row });
  }
  return grouped;
}

function rowOf(
  table: RecordTable | undefined,
  change: Change,
): StorableRow | Unstorable | undefined {
  const { collection, id, epoch, version, record } = change;
  if (table === undefined) return { reason: `There is no collection ${collection}` };
  if (!isStorableId(id)) {
    return { reason: `${collection} ${id}: the id is beyond a PostgreSQL integer` };
  }
  return record === null ? undefined : rowOfText(table, { id, epoch, version, text: record });
}

async function applyChanges(
  client: PoolClient,
  table: RecordTable,
  changes: readonly Indexed[],
  results: ApplyResult[],
): Promise<readonly Divergence[]> {
  if (changes.length === 0) return [];
  const ids = [...new Set(changes.map(({ change }) => change.id))];
  const live = new Map(
    (await lockRecords(client, table, ids)).map((row) => {
      const record = recordOfRow(row);
      return [record.id, record];
    }),
  );
  const buried = await readTombstones(client, table, ids);
  const changed = new Map<number, NextState>();
  const divergences: Divergence[] = [];
  for (const { index, change, row } of changes) {
    const { id, epoch, version, record, at } = change;
    const stored: StoredState | undefined = changed.get(id) ?? live.get(id) ?? buried.get(id);
    const verdict = judge(change, stored);
    if (verdict === 'apply') {
      changed.set(id, { id, epoch, version, text: record, at, ...(row && { row }) });
    }
    if (stored === undefined || verdict === 'apply' || verdict === 'no-op') {
      results[index] = { verdict };
      continue;
    }
    const entry = { id, epoch: stored.epoch, version: stored.version, text: stored.text };
    results[index] = { verdict, stored: entry };
    divergences.push({ class: verdict === 'fork' ? 'fork' : 'conflict', change, stored: entry });
  }
  await writeStates(client, table, changed.values(), { live, buried });
  return divergences;
}
