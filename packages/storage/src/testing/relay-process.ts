// A process that holds the JSON store of JSON_DIR as a primary in `json-primary`, writes one expense
// after the other and relays them to DATABASE_URL, until it is killed. Each acknowledged id is a line.
import { loadCollections } from '../collections/index.ts';
import { openJsonStore } from '../json/index.ts';
import { silentLog } from '../log.ts';
import { createPool, relayCursor } from '../postgres/index.ts';
import { createJobSink, createQueueClient, QUEUES, startRelay } from '../replication/index.ts';
import { create } from './store-fixture.ts';

const directory = process.env.JSON_DIR ?? '';
const store = await openJsonStore({ directory, collections: await loadCollections() });
const { epoch, phase, pairId } = store.phase.read();
if (phase !== 'json-primary') {
  await store.phase.update({ epoch: epoch + 1, phase: 'json-primary' });
}
const pool = createPool(process.env.DATABASE_URL ?? '', { applicationName: 'test relay' });
const queues = createQueueClient({ pool, role: 'enqueue', log: silentLog });
startRelay({
  ...{ outbox: store.outbox, pool, cursor: relayCursor, pairId, log: silentLog },
  jobs: createJobSink({ queues, queue: QUEUES.postgres }),
  batchItemsMax: 7,
});
const write = async (): Promise<never> => {
  for (;;) process.stdout.write(`${(await create(store)).id}\n`);
};
await Promise.all(Array.from({ length: 8 }, write));
