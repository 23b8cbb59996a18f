import { expect, test } from 'vitest';
import {
  type FileOperation,
  fileError,
  interceptFileSystem,
} from '../testing/intercepted-file-system.ts';
import { freshDirectory, open } from '../testing/json-fixture.ts';
import { create } from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { realFileSystem } from './index.ts';

test('I7: after one that failed and one that was asked for, checkpoints start by themselves again', async () => {
  const states: string[] = [];
  let fails = true;
  const before = ({ kind, path }: FileOperation): void => {
    if (kind !== 'create' || !path.includes('state-')) return;
    if (states.length > 0 && fails) throw fileError('EIO');
    states.push(path);
  };
  const fileSystem = interceptFileSystem(realFileSystem, before);
  const store = await open(await freshDirectory(), { fileSystem, checkpointAfterBytes: 20_000 });
  await create(store);
  await expect(store.checkpoint()).rejects.toMatchObject({ code: 'storage-failed' });
  fails = false;
  await store.checkpoint();
  const made = states.length;
  const notes = 'n'.repeat(1_000);
  await Promise.all(Array.from({ length: 30 }, () => create(store, { notes })));
  await until('a checkpoint by itself', () => states.length > made, 10_000);
});
