import { expect, test } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import { type Ending, FollowedStore } from '../testing/followed-store.ts';
import { contentOf } from '../testing/json-fixture.ts';
import { SimulatedMachine } from '../testing/simulated-file-system.ts';
import { allPages, create, randomFrom, seedOf } from '../testing/store-fixture.ts';
import type { JsonStore } from './index.ts';

const HISTORIES = 150;
const ACTS = 30;
/** Those that a folder lacks which is put back. */
const LOST_ACTS = 12;
/** Reads of the follower that are under way when the store is taken over. */
const READERS = 3;
const ENDINGS: readonly Ending[] = ['closed', 'handed over', 'killed'];
/** The session of an opening is drawn anew by each; the manifest's checksum covers it. */
const DRAWN = /"id": "[0-9a-f-]{36}"|"checksum": \d+\n}\n$/g;

/** All that can be seen of an opened store, and what it left on the disk. */
async function seen(store: JsonStore, machine: SimulatedMachine): Promise<unknown> {
  const { lineage = [], ...phase } = store.phase.read();
  const { warm: _warm, replayed: _replayed, ...report } = store.recoveryReport;
  const files = [...machine.disk.files()]
    .filter(([path]) => !path.endsWith('/lock'))
    .map(([path, bytes]) => [path, bytes.toString('utf8').replace(DRAWN, '')]);
  return {
    content: await contentOf(store),
    pages: await allPages(store, 7),
    outbox: await unrelayed(store),
    phase,
    openings: lineage.map(({ batch }) => batch),
    report,
    mappingErrors: store.mappingErrors(),
    edits: store.externalEdits(),
    files: Object.fromEntries(files),
  };
}

/** What the relay would still be given. */
const unrelayed = (store: JsonStore): Promise<unknown> =>
  store.outbox.read(Math.max(0, store.outbox.head() - 5), 5).catch((error: Error) => error.message);

/** Lives through one history and takes the store over, cold on a copy and warm on the disk. */
async function takeOver(seed: number, ending: Ending, isPutBack: boolean): Promise<boolean> {
  const random = randomFrom(seed);
  const lived = new FollowedStore(await loadCollections(), random);
  await lived.begin();
  for (let act = 0; act < ACTS; act++) {
    if (act === ACTS - LOST_ACTS) lived.backUp();
    await lived.act();
  }
  await lived.end(ending);
  if (isPutBack) await lived.putBack();
  const copy = new SimulatedMachine(lived.machine.disk.clone());
  const cold = await lived.open({ machine: copy });
  const follower = lived.follower();
  // Whoever reads beside it is overtaken, and changes nothing of what is taken over.
  const reading = Array.from({ length: READERS }, () => follower.reads?.idHighWater());
  const overtaken = Promise.allSettled(reading);
  const warm = await lived.open({ follower });
  await overtaken;
  expect(cold.recoveryReport.warm).toBe(false);
  expect(await seen(warm, lived.machine)).toEqual(await seen(cold, copy));
  // It goes on the same: the next write, a checkpoint, and what the next process finds.
  for (const store of [cold, warm]) {
    await create(store, { notes: 'after the take-over' });
    await store.close();
  }
  const again = await lived.open({ machine: copy });
  const next = await lived.open();
  expect(await seen(next, lived.machine)).toEqual(await seen(again, copy));
  for (const store of [again, next]) await store.close();
  await lived.follower().close();
  return warm.recoveryReport.warm;
}

test('I1, I4, I9, I10, I12: a store taken over warm is the store that a cold opening gives, whatever came before', async () => {
  const seed = seedOf();
  let warm = 0;
  for (let n = 0; n < HISTORIES; n++) {
    const one = seed + n;
    const ending = ENDINGS[one % ENDINGS.length] as Ending;
    try {
      if (await takeOver(one, ending, false)) warm++;
    } catch (error) {
      throw new Error(`TANDEM_SEED=${one}`, { cause: error });
    }
  }
  // A follower that was left behind by two checkpoints, or saw nothing yet, is no help.
  expect(warm, `TANDEM_SEED=${seed}`).toBeGreaterThan(HISTORIES / 3);
});

test('I12: a folder that was put back from an older copy under a follower is read anew', async () => {
  const seed = seedOf();
  for (let n = 0; n < HISTORIES; n++) {
    const one = seed + n;
    try {
      await takeOver(one, 'closed', true);
    } catch (error) {
      throw new Error(`TANDEM_SEED=${one}`, { cause: error });
    }
  }
});
