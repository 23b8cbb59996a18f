//   BEGIN; bounds; shared switch lock; phase row ─> keys ─> row locks ─> ids
//        ─> plan each write in order, over what the ones before it leave
//        ─> records, tombstones ─> keys' outcomes ─> jobs ─> COMMIT
import type { PoolClient } from 'pg';
import { type Item, type Outcome, plan, traceOf, type Write } from '../changes/index.ts';
import { sentenceOf, TandemError } from '../errors.ts';
import { type PostgresPhaseState, primaryOf } from '../phase/index.ts';
import { storageError } from './failure.ts';
import { raiseHighWater, SequenceBehind } from './id-sequence.ts';
import { claimKeys, fillKeys, type KnownKey } from './idempotency-keys.ts';
import { isolating, withRetries } from './isolation.ts';
import { boundsStatement, SWITCH_LOCK, shared } from './locks.ts';
import { phaseOfRow, READ_PHASE } from './phase-row.ts';
import type { StoreContext } from './store-context.ts';
import { transaction } from './transaction.ts';
import { WorkingSet } from './working-set.ts';

type Settled = PromiseSettledResult<Outcome>;

const BEGIN = [boundsStatement(), shared(SWITCH_LOCK), READ_PHASE];

const rejected = (reason: unknown): Settled => ({ status: 'rejected', reason });

/**
 * Commits a batch of writes in one transaction, as the primary. One result a write, in order; one
 * that PostgreSQL refuses fails alone. Never throws: an outage is every write's result.
 */
export async function writeBatch(
  context: StoreContext,
  writes: readonly Write[],
): Promise<readonly Settled[]> {
  const startedMs = performance.now();
  const settled = await commitBatch(context, writes);
  const traces = writes.flatMap(({ trace }) => trace ?? []);
  const span = { startedMs, endedMs: performance.now() };
  const written = settled.filter(({ status }) => status === 'fulfilled').length;
  if (written > 0) {
    const counts = { items: writes.length, written, bytes: 0 };
    context.observer.committed({ store: 'postgres', ...counts, traces, ...span });
  }
  return settled;
}

function commitBatch(context: StoreContext, writes: readonly Write[]): Promise<readonly Settled[]> {
  const run = async (some: readonly Write[]): Promise<readonly Settled[]> => {
    try {
      return await withRetries(() => attempt(context, some));
    } catch (error) {
      const known = storageError(error);
      // The halves of a spoilt batch are committed one by one: an outage after the first half must
      // not take back what the first half was told.
      if (known instanceof TandemError && known.code !== 'invalid') {
        return some.map(() => rejected(known));
      }
      throw error;
    }
  };
  return isolating(writes, run, ({ command }, error) => {
    const { name } = command.collection;
    const fields = { collection: name, op: command.op, reason: sentenceOf(error) };
    context.log.warn(fields, `PostgreSQL refused a write of ${name}.`);
    return rejected(storageError(error));
  });
}

async function attempt(
  context: StoreContext,
  writes: readonly Write[],
): Promise<readonly Settled[]> {
  try {
    return await transaction(context.pool, BEGIN, (client, begun) =>
      commitWrites(context, client, phaseOfRow(begun.at(-1)?.[0]), writes),
    );
  } catch (error) {
    if (error instanceof SequenceBehind) {
      await raiseHighWater(context.pool, context.tables, error.marks);
    }
    throw error;
  }
}

async function commitWrites(
  context: StoreContext,
  client: PoolClient,
  phase: PostgresPhaseState,
  writes: readonly Write[],
): Promise<readonly Settled[]> {
  requirePrimary(phase);
  const now = context.now();
  const keys = await claimKeys(client, wantedKeys(writes), now);
  const fresh = writes.filter((write) => isFresh(write, keys));
  const records = await WorkingSet.lock(context, client, fresh);
  const at = now.toISOString();
  const filled: { key: string; fingerprint: string; outcome: string; at: string }[] = [];
  const items: Item[] = [];
  const keyItems: Item[] = [];

  const settled = writes.map((write): Settled => {
    const known = write.key === undefined ? undefined : keys.get(write.key.key);
    if (known !== undefined && known.fingerprint !== write.key?.fingerprint) return keyReused();
    if (known?.outcome !== undefined) {
      return { status: 'fulfilled', value: JSON.parse(known.outcome) as Outcome };
    }
    const planned = plan(write, records.planContext(write, phase.epoch, at));
    records.keep(write.command.collection, planned.changes);
    const trace = traceOf(write.trace);
    for (const change of planned.changes) items.push({ kind: 'change', change, ...trace });
    if (known !== undefined && write.key !== undefined) {
      known.outcome = JSON.stringify(planned.outcome);
      const key = { ...write.key, outcome: known.outcome, at };
      filled.push(key);
      keyItems.push({ kind: 'key', key, ...trace });
    }
    return { status: 'fulfilled', value: planned.outcome };
  });

  await records.write(client);
  await fillKeys(client, filled);
  if (phase.phase === 'postgres-primary' && items.length + keyItems.length > 0) {
    await context.jobs.insert(client, [...items, ...keyItems]);
  }
  return settled;
}

/**
 * Decided by the row read under the shared lock, never from memory (I3).
 * @throws {TandemError} `not-primary`
 */
export function requirePrimary({ phase, sealed, epoch }: PostgresPhaseState): void {
  if (primaryOf(phase) === 'postgres' && !sealed) return;
  throw new TandemError(
    'not-primary',
    sealed
      ? `PostgreSQL is sealed at epoch ${epoch}: a switch is under way.`
      : `PostgreSQL is not the primary in phase ${phase}.`,
    { detail: { phase, sealed, epoch } },
  );
}

const keyReused = (): Settled =>
  rejected(new TandemError('key-reused', 'This Idempotency-Key was used for another request.'));

/** Keys and fingerprints of a batch; of two fingerprints under one key the first counts. */
function wantedKeys(writes: readonly Write[]): ReadonlyMap<string, string> {
  const wanted = new Map<string, string>();
  for (const { key } of writes) {
    if (key !== undefined && !wanted.has(key.key)) wanted.set(key.key, key.fingerprint);
  }
  return wanted;
}

/** Whether a write may have an effect: it has no key, or one that was not known. */
const isFresh = ({ key }: Write, keys: ReadonlyMap<string, KnownKey>): boolean =>
  key === undefined || keys.get(key.key)?.outcome === undefined;
