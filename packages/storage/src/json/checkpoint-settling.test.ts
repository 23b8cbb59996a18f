import { expect, test } from 'vitest';
import { WatchedDisk } from '../testing/simulated-store.ts';
import { allTexts, create } from '../testing/store-fixture.ts';

test.each([true, false])(
  'I7: after a checkpoint that failed between two renames no file of ours looks foreign (writes between: %s)',
  async (writes) => {
    const watched = new WatchedDisk();
    const store = await watched.open();
    await create(store);
    await store.checkpoint();
    await create(store);
    watched.fault = ({ kind, path }) =>
      kind === 'rename' && path.endsWith('incomes.json')
        ? { code: 'EIO', effect: 'before' }
        : undefined;
    await expect(store.checkpoint()).rejects.toMatchObject({ code: 'storage-failed' });
    watched.fault = undefined;
    // Without one the next checkpoint needs no new segment, and syncs no folder for it.
    if (writes) await create(store);
    const texts = await allTexts(store);
    watched.watch();
    await store.checkpoint();
    for (const crashed of watched.crashes()) {
      const again = await crashed.open();
      expect(again.externalEdits()).toEqual([]);
      expect(await allTexts(again)).toEqual(texts);
    }
  },
);
