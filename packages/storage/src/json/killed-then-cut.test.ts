import { expect, test } from 'vitest';
import { WatchedDisk } from '../testing/simulated-store.ts';
import { allTexts, create } from '../testing/store-fixture.ts';

test('I1, I7: what a killed process renamed without a sync stays, whatever is removed after it', async () => {
  const watched = new WatchedDisk();
  const store = await watched.open();
  await create(store);
  await store.checkpoint();
  await create(store);
  const texts = await allTexts(store);
  watched.watch();
  await store.checkpoint();
  let tried = 0;
  // The process is killed at each moment, its cache stays; the next one opens, and the power is cut.
  for (const moment of watched.moments) {
    const killed = new WatchedDisk(moment);
    killed.watch();
    const again = await killed.open();
    expect(await allTexts(again)).toEqual(texts);
    expect(again.externalEdits()).toEqual([]);
    for (const crashed of killed.crashes(12)) {
      const last = await crashed.open();
      expect(await allTexts(last)).toEqual(texts);
      expect(last.externalEdits()).toEqual([]);
      tried++;
    }
  }
  expect(tried).toBeGreaterThan(100);
});
