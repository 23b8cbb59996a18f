import { expect, test } from 'vitest';
import { type FileOperation, interceptFileSystem } from '../testing/intercepted-file-system.ts';
import { contentOf, freshDirectory, open } from '../testing/json-fixture.ts';
import { create } from '../testing/store-fixture.ts';
import { realFileSystem } from './index.ts';

test('I3, I12: a checkpoint that waits for another one does not begin once the store closes', async () => {
  const directory = await freshDirectory();
  const first = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  const states: string[] = [];
  let closed: Promise<void> | undefined;
  const before = async ({ kind, path }: FileOperation): Promise<void> => {
    if (kind !== 'create' || !path.includes('state-')) return;
    states.push(path);
    if (states.length === 1) held.resolve();
    await (states.length === 1 ? first.promise : closed);
  };
  const opened = await open(directory);
  await create(opened);
  await opened.close();
  const store = await open(directory, { fileSystem: interceptFileSystem(realFileSystem, before) });
  await create(store);
  const running = store.checkpoint();
  await held.promise;
  await create(store);
  const waiting = expect(store.checkpoint()).rejects.toMatchObject({ code: 'unavailable' });
  closed = store.close({ checkpoint: false });
  first.resolve();
  await Promise.all([running, closed]);
  // Whoever takes the store over makes the checkpoint of the same number.
  const next = await open(directory);
  await create(next);
  await next.checkpoint();
  await waiting;
  expect(states).toHaveLength(1);
  const content = await contentOf(next);
  await next.close();
  expect(await contentOf(await open(directory))).toEqual(content);
});
