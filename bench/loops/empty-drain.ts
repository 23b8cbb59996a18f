// What pg-boss alone does with a queue: fetches jobs and completes them, until none is left.
// `node empty-drain.ts URL QUEUE BATCH`; a process of its own, as the worker is one.
import { silentLog } from '@tandem/storage/log';
import { createQueueClient } from '@tandem/storage/replication';
import pg from 'pg';

const [, , url, queue, batch] = process.argv;
const batchSize = Number(batch);
if (url === undefined || queue === undefined || !(batchSize > 0)) {
  throw new Error('This process is started by the bench.');
}
// Without a service's bound on a statement: among very many jobs a fetch may take its time.
const pool = new pg.Pool({ connectionString: url, application_name: 'bench empty drain' });
const queues = createQueueClient({ pool, role: 'enqueue', log: silentLog });
const boss = await queues.ready();
for (;;) {
  const jobs = await boss.fetch(queue, { batchSize });
  if (jobs.length === 0) break;
  const ids = jobs.map(({ id }) => id);
  await boss.complete(queue, ids);
}
await queues.stop();
await pool.end();
