import { expect, test } from 'vitest';
import { type FileOperation, interceptFileSystem } from '../testing/intercepted-file-system.ts';
import { freshDirectory, open } from '../testing/json-fixture.ts';
import { create } from '../testing/store-fixture.ts';
import { type JsonStore, realFileSystem } from './index.ts';

test('I7: a phase change beside a checkpoint does not make its files look foreign', async () => {
  const directory = await freshDirectory();
  const renaming = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  let store: JsonStore | undefined;
  let update: Promise<void> | undefined;
  const before = async ({ kind, path }: FileOperation): Promise<void> => {
    if (store === undefined) return;
    if (kind === 'rename' && path.endsWith('expenses.json')) {
      update = store.phase.update({ sealed: true });
      await begun.promise;
    } else if (kind === 'rename' && path.endsWith('incomes.json')) {
      renaming.resolve();
    } else if (kind === 'create' && path.endsWith('manifest.json.new') && update !== undefined) {
      begun.resolve();
      await renaming.promise;
    }
  };
  const fileSystem = interceptFileSystem(realFileSystem, before);
  const opened = await open(directory, { fileSystem });
  await create(opened);
  store = opened;
  await opened.checkpoint();
  await update;
  store = undefined;
  await opened.close();
  expect((await open(directory)).externalEdits()).toEqual([]);
});
