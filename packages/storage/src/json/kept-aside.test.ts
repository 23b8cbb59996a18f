import { expect, test } from 'vitest';
import { WatchedDisk } from '../testing/simulated-store.ts';
import { create } from '../testing/store-fixture.ts';

const LEGACY =
  '[{"date":"2025-01-01","category":"c","amount":1,"account":"a","id":1,"odd":[1.0]}]\n';

test('I7: at no moment of adoption and the first checkpoint a crash loses the original', async () => {
  const watched = new WatchedDisk();
  watched.put('expenses.json', LEGACY);
  watched.watch();
  const store = await watched.open();
  await create(store);
  await store.checkpoint();
  expect(watched.read('expenses.json')).not.toBe(LEGACY);
  for (const crashed of watched.crashes()) {
    const kept = [crashed.read('expenses.json'), crashed.read('.tandem/adopted/expenses.json')];
    expect(kept).toContain(LEGACY);
  }
});

test('at no moment of a checkpoint a crash loses a foreign edit, or lists one without its file', async () => {
  const watched = new WatchedDisk();
  const store = await watched.open();
  await create(store);
  await store.checkpoint();
  watched.put('expenses.json', LEGACY);
  await create(store);
  watched.watch();
  await store.checkpoint();
  expect(watched.read('expenses.json')).not.toBe(LEGACY);
  for (const crashed of watched.crashes()) {
    const files = [...crashed.disk.files()];
    expect(files.some(([, bytes]) => bytes.toString('utf8') === LEGACY)).toBe(true);
    for (const [path] of files.filter(([name]) => name.endsWith('.edit'))) {
      expect(crashed.disk.find(path.slice(0, -'.edit'.length))?.cached.toString()).toBe(LEGACY);
    }
  }
});
