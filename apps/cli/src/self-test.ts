import type { Change } from '@tandem/storage/changes';
import {
  type Collection,
  loadCollections,
  parseExact,
  readCreate,
} from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { repair, subjectOf, type VerifyMode, verify } from '@tandem/storage/consistency';
import type { StoreName } from '@tandem/storage/phase';
import { requireDatabase } from './database-url.ts';
import { openScratchStores, type ScratchStores } from './scratch-stores.ts';

/** Sound records, over several ranges of the digests. */
const RECORDS = 1_500;
const BATCH_WRITES = 250;
const PATIENCE_MS = 10_000;

/** What one primary's round saw. */
interface SelfTestRound {
  readonly primary: StoreName;
  /** Records of the scratch collection, e.g. `expense 12`. */
  readonly planted: readonly string[];
  readonly missed: readonly string[];
  readonly falseAlarms: readonly string[];
  readonly repaired: number;
  /** Nothing differed after the repair. */
  readonly isClean: boolean;
}

export interface SelfTestResult {
  readonly isPassed: boolean;
  readonly rounds: readonly SelfTestRound[];
}

/**
 * Plants one missing, one extra and one altered record on each side of a scratch collection, with each
 * store as the primary, and sees that verify finds exactly those and repair mends them. Real stores, in
 * a folder and a schema that are gone afterwards.
 * @throws {TandemError} `unavailable`, `storage-failed`
 */
export async function runSelfTest(configuration: Configuration): Promise<SelfTestResult> {
  const { url } = requireDatabase(configuration);
  const [collection] = await loadCollections();
  if (collection === undefined) throw new Error('There is no collection.');
  const rounds: SelfTestRound[] = [];
  for (const primary of ['json', 'postgres'] as const) {
    const stores = await openScratchStores(url, primary, [collection]);
    try {
      rounds.push(await round(stores, primary, collection));
    } finally {
      await stores.drop();
    }
  }
  const isSound = ({ missed, falseAlarms, isClean, repaired, planted }: SelfTestRound) =>
    isClean && missed.length + falseAlarms.length === 0 && repaired === planted.length;
  return { isPassed: rounds.every(isSound), rounds };
}

async function round(
  stores: ScratchStores,
  primary: StoreName,
  collection: Collection,
): Promise<SelfTestRound> {
  await fill(stores, collection);
  const before = await compare(stores, collection, 'full');
  const planted = await plant(stores, collection);
  const found = await compare(stores, collection, 'changed');
  const names = found.differences.map(subjectOf);
  const whole = (await compare(stores, collection, 'full')).differences.map(subjectOf);
  const mended = await stores.delivering(() =>
    repair(
      {
        ...{ scope: { runId: found.id + 1 }, keep: 'primary', dryRun: false },
        ...{ actor: 'self-test', reason: 'self-test' },
      },
      {
        ...{ ...stores.compared, collections: [collection], epoch: stores.epoch },
        primary: stores[primary],
        secondary: primary === 'json' ? stores.postgres : stores.json,
        dropDecided: async () => {},
      },
    ),
  );
  const after = await compare(stores, collection, 'full');
  return {
    ...{ primary, planted, repaired: mended.counts.repaired },
    missed: planted.filter((name) => !names.includes(name) || !whole.includes(name)),
    falseAlarms: [...before.differences.map(subjectOf), ...names, ...whole].filter(
      (name) => !planted.includes(name),
    ),
    isClean: after.outcome === 'clean',
  };
}

const compare = (stores: ScratchStores, collection: Collection, mode: VerifyMode) =>
  verify({
    ...{ ...stores.compared, collections: [collection], mode, patienceMs: PATIENCE_MS },
    watermark: { epoch: stores.epoch, outboxSeq: stores.json.outbox.head() },
  });

async function fill({ compared, deliver, ...stores }: ScratchStores, collection: Collection) {
  const example = Object.fromEntries(
    collection.fields.map(({ name, example: value }) => [name, value]),
  );
  const read = readCreate(collection, parseExact(JSON.stringify(example)));
  if (!read.ok) throw new Error(`The examples of ${collection.name} do not fit it.`);
  const command = { op: 'create', collection, values: read.values } as const;
  const primary = compared.primary.name === 'json' ? stores.json : stores.postgres;
  for (let written = 0; written < RECORDS; written += BATCH_WRITES) {
    await Promise.all(Array.from({ length: BATCH_WRITES }, () => primary.write({ command })));
    await deliver();
  }
}

/** @returns what was planted */
async function plant(stores: ScratchStores, collection: Collection): Promise<readonly string[]> {
  const ids = { missing: 11, altered: 1_200, extra: 90_001 };
  const there = { missing: 21, altered: 1_300, extra: 90_002 };
  const { json, postgres } = stores;
  // PostgreSQL as an applying secondary gets changes that JSON never had, and the other way round.
  for (const [store, { missing, altered, extra }] of [
    [postgres, ids],
    [json, there],
  ] as const) {
    const entries = await store.entries(collection, [missing, altered]);
    const [gone, kept] = entries;
    if (gone === undefined || kept?.text == null) throw new Error('The scratch store is not full.');
    const change = (id: number, version: number, record: string | null): Change => ({
      ...{ collection: collection.name, id, epoch: stores.epoch, version, record },
      base: version === 1 ? null : { epoch: stores.epoch, version: version - 1 },
      op: record === null ? 'delete' : version === 1 ? 'create' : 'update',
      at: new Date().toISOString(),
    });
    const other = kept.text.replace(/"amount":[^,]+/, '"amount":99.99');
    const copy = kept.text.replace(`"id":${altered}}`, `"id":${extra}}`);
    const changes = [change(missing, 2, null), change(altered, 2, other), change(extra, 1, copy)];
    const results = await store.apply(changes.map((one) => ({ kind: 'change', change: one })));
    if (results.some(({ verdict }) => verdict !== 'apply')) throw new Error('Nothing was planted.');
  }
  return [ids, there]
    .flatMap(({ missing, altered, extra }) => [missing, altered, extra])
    .map((id) => `${collection.name} ${id}`);
}
