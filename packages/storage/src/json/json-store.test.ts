import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCollections } from '../collections/index.ts';
import { storeContract } from '../testing/store-contract.ts';
import { openJsonStore } from './index.ts';

storeContract('The JSON store', async () => {
  const directory = await mkdtemp(join(tmpdir(), 'tandem-json-'));
  const store = await openJsonStore({ directory, collections: await loadCollections() });
  return {
    store,
    close: async () => {
      await store.close();
      await rm(directory, { recursive: true });
    },
  };
});
