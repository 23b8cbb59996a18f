import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Item } from '@tandem/storage/changes';
import type { Collection } from '@tandem/storage/collections';
import {
  type ComparedStores,
  type DivergenceLedger,
  unitedMarks,
  type VerifyOptions,
} from '@tandem/storage/consistency';
import { type JsonStore, openJsonStore } from '@tandem/storage/json';
import type { StoreName } from '@tandem/storage/phase';
import {
  createScratchSchema,
  dirtyRanges,
  divergenceLedger,
  openPostgresStore,
  type PostgresStore,
  verifyRuns,
} from '@tandem/storage/postgres';
import type { Pool } from 'pg';

const EPOCH = 2;
const DELIVER_INTERVAL_MS = 20;
const OUTBOX_ITEMS = 1_000;

/** Both stores of an installation that exists for one test: a folder and a schema of their own. */
export interface ScratchStores {
  readonly json: JsonStore;
  readonly postgres: PostgresStore;
  readonly pool: Pool;
  readonly ledger: DivergenceLedger;
  readonly epoch: number;
  readonly compared: ComparedStores & Pick<VerifyOptions, 'runs' | 'ledger' | 'marks'>;
  /** Brings what the primary wrote to the secondary. */
  deliver(): Promise<void>;
  /** Delivers now and then until the work is done. */
  delivering<T>(work: () => Promise<T>): Promise<T>;
  drop(): Promise<void>;
}

/** Opens them in the dual phase of a primary. What is written waits in memory instead of a queue, which
 *  real workers would take it from. */
export async function openScratchStores(
  url: string,
  primary: StoreName,
  collections: readonly Collection[],
): Promise<ScratchStores> {
  const { pool, drop: dropSchema } = await createScratchSchema(url);
  const directory = await mkdtemp(join(tmpdir(), 'tandem-scratch-'));
  const json = await openJsonStore({ directory, collections });
  const waiting: Item[] = [];
  const jobs = {
    insert: async (_: unknown, items: readonly Item[]) => void waiting.push(...items),
  };
  const postgres = openPostgresStore({ pool, collections, jobs });
  const { pairId } = json.phase.read();
  const phase = { phase: `${primary}-primary` as const, epoch: EPOCH };
  await json.phase.update(phase);
  const move = { actor: 'self-test', reason: 'A scratch installation.', evidence: {} };
  await postgres.phase.advance(0, { pairId, ...phase }, move);
  let relayed = 0;

  async function deliver(): Promise<void> {
    if (primary === 'postgres') {
      await json.apply(waiting.splice(0));
      return;
    }
    const entries = await json.outbox.read(relayed, OUTBOX_ITEMS);
    await postgres.apply(entries.map(({ item }) => item));
    relayed = entries.at(-1)?.seq ?? relayed;
  }
  const isDelivered = () => waiting.length === 0 && relayed >= json.outbox.head();
  const stores = { json, postgres };
  const nothing = async () => ({ pending: new Set<never>(), deadLetters: new Map() });
  return {
    ...stores,
    ...{ pool, ledger: divergenceLedger(pool), epoch: EPOCH, deliver },
    compared: {
      primary: stores[primary],
      secondary: primary === 'json' ? postgres : json,
      explanations: { ofRecords: nothing, ofKeys: nothing },
      mark: async () => async () => isDelivered(),
      ...{ runs: verifyRuns(pool), ledger: divergenceLedger(pool) },
      marks: unitedMarks([dirtyRanges(pool, collections), json.dirty]),
    },
    async delivering(work) {
      const timer = setInterval(() => void deliver().catch(() => undefined), DELIVER_INTERVAL_MS);
      try {
        return await work();
      } finally {
        clearInterval(timer);
      }
    },
    async drop() {
      await json.close();
      await postgres.close();
      await rm(directory, { recursive: true, force: true });
      await dropSchema();
    },
  };
}
