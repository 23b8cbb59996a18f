import { expect, test } from 'vitest';
import { WatchedDisk } from '../testing/simulated-store.ts';
import { allTexts, create } from '../testing/store-fixture.ts';

/** Notes of some sectors: what is left of a batch is told sector by sector. */
const notes = (bytes: number, letter: string): string => letter.repeat(bytes);

test('I11, I12: what a full disk took of a refused batch is not mistaken for damage of the next one', async () => {
  const watched = new WatchedDisk();
  const store = await watched.open();
  await create(store);
  let short = true;
  watched.fault = ({ kind, path }) => {
    if (kind !== 'write' || !path.includes('journal-')) return undefined;
    const effect = short ? 'short' : 'before';
    short = false;
    return { code: 'ENOSPC', effect };
  };
  await expect(create(store, { notes: notes(6_000, 'r') })).rejects.toMatchObject({
    code: 'storage-full',
  });
  watched.fault = undefined;
  const before = await allTexts(store);
  watched.watch();
  await create(store, { notes: notes(1_500, 'n') });
  const after = await allTexts(store);
  for (const crashed of watched.crashes()) {
    expect([before, after]).toContainEqual(await allTexts(await crashed.open()));
  }
});
