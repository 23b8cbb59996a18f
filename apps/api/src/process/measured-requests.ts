import { isTandemError } from '@tandem/storage/errors';
import type { RecordStore } from '@tandem/storage/store';
import type { RequestMeter } from '@tandem/telemetry';

/** The store that requests see, with each write counted by what became of it. */
export const measuredRequests = (store: RecordStore, meter: RequestMeter): RecordStore => ({
  get: (collection, id) => store.get(collection, id),
  page: (collection, options) => store.page(collection, options),
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
});
