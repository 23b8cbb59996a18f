import { expect, test } from 'vitest';
import { WatchedDisk } from '../testing/simulated-store.ts';
import { allTexts, create } from '../testing/store-fixture.ts';

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

test('I2, I9: at any moment of an adoption a crash leaves it done, or to be done again, once', async () => {
  const watched = new WatchedDisk();
  const store = await watched.open();
  await store.phase.update({ phase: 'json-primary', epoch: 2 });
  const { text } = await create(store);
  await store.checkpoint();
  const edited = [text.replace('"amount":150.5', '"amount":9'), text.replace(',"id":1', '')];
  watched.put('expenses.json', `[${edited.join(',')}]`);
  await store.checkpoint();
  const order = { act: 'adopt', actor: 'ann', reason: 'it was meant' } as const;
  const openOf = (one: typeof store) => one.externalEdits().find((edit) => edit.status === 'open');
  const edit = openOf(store);
  if (edit === undefined) throw new Error('The edit was not noticed.');
  watched.watch();
  await store.decideEdit({ edit: edit.name, ...order });
  let again = 0;
  for (const crashed of watched.crashes()) {
    const recovered = await crashed.open();
    const left = openOf(recovered);
    if (left !== undefined) {
      again++;
      await recovered.decideEdit({ edit: left.name, ...order });
    }
    expect(recovered.externalEdits()).toMatchObject([{ status: 'adopted', conflicting: [] }]);
    const [one, two, ...more] = await allTexts(recovered);
    expect([one, two].map((each) => JSON.parse(each ?? '').amount).sort()).toEqual([150.5, 9]);
    expect(more).toEqual([]);
    const items = await recovered.outbox.read(0, 10);
    expect(items.map(({ item }) => item.kind === 'change' && item.change.version)).toEqual([
      1, 2, 1,
    ]);
  }
  expect(again).toBeGreaterThan(0);
});
