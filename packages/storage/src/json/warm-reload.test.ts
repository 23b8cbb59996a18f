import { expect, onTestFinished, test } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import { freshDirectory, open } from '../testing/json-fixture.ts';
import { create } from '../testing/store-fixture.ts';
import { realFileSystem, WarmFollower } from './index.ts';
import { SLICE_BYTES } from './line-codec.ts';

test('I5: a follower that goes on from a closed store loads in slices, too, when it was overtaken', async () => {
  const directory = await freshDirectory();
  const closed = await open(directory);
  const notes = 'n'.repeat(1_000);
  await Promise.all(Array.from({ length: 200 }, () => create(closed, { notes })));
  await closed.close();
  const reads: number[] = [];
  const openForReading: typeof realFileSystem.openForReading = async (path) => {
    const file = await realFileSystem.openForReading(path);
    if (!path.includes('state-')) return file;
    return {
      ...file,
      read: (into, position) => {
        reads.push(into.length);
        return file.read(into, position);
      },
    };
  };
  const fileSystem = { ...realFileSystem, openForReading };
  const collections = await loadCollections();
  const follower = new WarmFollower({ directory, collections, fileSystem }, closed.end);
  onTestFinished(() => follower.close());
  // The segment in which it stands is dropped before it looks again.
  const next = await open(directory);
  await create(next);
  await next.checkpoint();
  await follower.follow();
  expect(follower.isWarm).toBe(true);
  expect(reads.length).toBeGreaterThan(1);
  expect(Math.max(...reads)).toBeLessThanOrEqual(SLICE_BYTES);
});
