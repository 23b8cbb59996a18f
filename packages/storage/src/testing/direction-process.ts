// A process that works `write-to-postgres` of DATABASE_URL until it is killed. It tells each batch it
// is about to apply with one line, so that a test can kill it in the middle of one.
import { loadCollections } from '../collections/index.ts';
import { silentLog } from '../log.ts';
import { createPool, openPostgresStore } from '../postgres/index.ts';
import { createJobSink, createQueueClient, QUEUES, startDirection } from '../replication/index.ts';

const pool = createPool(process.env.DATABASE_URL ?? '', { applicationName: 'test worker' });
const queues = createQueueClient({ pool, role: 'work', log: silentLog });
const collections = await loadCollections();
const jobs = createJobSink({ queues, queue: QUEUES.json });
const store = openPostgresStore({ pool, collections, jobs });
startDirection({
  direction: 'postgres',
  store: {
    ...store,
    async apply(items) {
      process.stdout.write(`applying ${items.length}\n`);
      return store.apply(items);
    },
  },
  ...{ queues, collections, log: silentLog, batchJobsMax: 50 },
});
