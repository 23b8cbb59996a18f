import { cp, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import { fileError, interceptFileSystem } from '../testing/intercepted-file-system.ts';
import { storeModelSuite } from '../testing/store-commands.ts';
import { MODEL_EPOCH } from '../testing/store-model.ts';
import type { StoreSubject } from '../testing/store-subject.ts';
import { openJsonStore, realFileSystem } from './index.ts';

const RUNS = 60;
/** Small, so that checkpoints also come by themselves. */
const CHECKPOINT_AFTER_BYTES = 16 << 10;

const collections = await loadCollections();

async function openSubject(startMs: number): Promise<StoreSubject> {
  const home = await mkdtemp(join(tmpdir(), 'tandem-model-'));
  let nowMs = startMs;
  let lives = 0;
  const directory = () => join(home, `life-${lives}`);
  let kill = (): void => {};
  const open = () => {
    let dead = false;
    kill = () => {
      dead = true;
    };
    const fileSystem = interceptFileSystem(realFileSystem, () => {
      if (dead) throw fileError('EIO');
    });
    return openJsonStore({
      ...{ directory: directory(), collections, fileSystem, now: () => nowMs },
      checkpointAfterBytes: CHECKPOINT_AFTER_BYTES,
    });
  };
  let store = await open();
  await store.phase.update({ epoch: MODEL_EPOCH });
  return {
    get store() {
      return store;
    },
    setClock(next) {
      nowMs = next;
    },
    // Nothing it does from here on reaches the files; what counts is what they hold then, perhaps in
    // the middle of a checkpoint.
    async crash() {
      kill();
      await store.close().catch((error: unknown) => {
        expect(error).toMatchObject({ code: 'storage-failed' });
      });
      const from = directory();
      lives += 1;
      await cp(from, directory(), { recursive: true });
      await rm(from, { recursive: true });
      store = await open();
    },
    async reopen() {
      await store.close();
      store = await open();
    },
    async checkpoint(model) {
      await store.checkpoint();
      for (const collection of model.collections) {
        const text = await readFile(join(directory(), collection.file), 'utf8');
        const live = model.entries(collection).filter((entry) => entry.text !== null);
        expect(JSON.parse(text), 'I7: the checkpoint').toEqual(
          live.map((entry) => JSON.parse(entry.text as string)),
        );
      }
    },
    async close() {
      await store.close();
      await rm(home, { recursive: true });
    },
  };
}

storeModelSuite('the JSON store', RUNS, openSubject);
