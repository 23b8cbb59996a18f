import type { ShadowReads } from '@tandem/storage/consistency';
import { isTandemError } from '@tandem/storage/errors';
import type { RecordStore } from '@tandem/storage/store';
import type { RequestMeter } from '@tandem/telemetry';

/**
 * The store that requests see, with each write counted by what became of it.
 * @param shadow gets every read that was answered, if reads are to be repeated on the secondary
 */
export function measuredRequests(
  store: RecordStore,
  meter: RequestMeter,
  shadow: ShadowReads | undefined,
): RecordStore {
  const reads =
    shadow === undefined
      ? {
          get: store.get.bind(store),
          page: store.page.bind(store),
        }
      : shadowedReads(store, shadow);
  return {
    ...reads,
    list: (collection) => store.list(collection),
    async write(write) {
      const { collection, op } = write.command;
      const asked = { collection: collection.name, op };
      try {
        const outcome = await store.write(write);
        meter.wrote({ ...asked, outcome: outcome.kind });
        return outcome;
      } catch (error) {
        meter.wrote({ ...asked, outcome: isTandemError(error) ? error.code : 'defect' });
        throw error;
      }
    },
  };
}

function shadowedReads(store: RecordStore, shadow: ShadowReads): Pick<RecordStore, 'get' | 'page'> {
  return {
    async get(collection, id) {
      const startedMs = performance.now();
      const record = await store.get(collection, id);
      shadow.got(collection, id, record, (performance.now() - startedMs) / 1_000);
      return record;
    },
    async page(collection, options) {
      const startedMs = performance.now();
      const page = await store.page(collection, options);
      shadow.paged(collection, options, page, (performance.now() - startedMs) / 1_000);
      return page;
    },
  };
}
