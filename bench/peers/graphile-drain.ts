// graphile-worker with an empty task, as its README shows the library: adds JOBS jobs in bulk, then drains
// them with CONCURRENCY at a time, and says how many a second. DATABASE_URL names an empty database.
import { makeWorkerUtils, run } from 'graphile-worker';
import pg from 'pg';

const jobs = Number(process.env.JOBS);
const concurrency = Number(process.env.CONCURRENCY);
const connectionString = process.env.DATABASE_URL as string;
const payload = JSON.parse(process.env.PAYLOAD ?? '{}');

const utils = await makeWorkerUtils({ connectionString });
await utils.migrate();
const ADDED_AT_ONCE = 1_000;
for (let added = 0; added < jobs; added += ADDED_AT_ONCE) {
  const count = Math.min(ADDED_AT_ONCE, jobs - added);
  await utils.addJobs(Array.from({ length: count }, () => ({ identifier: 'none', payload })));
}
await utils.release();
let done = 0;
const drained = Promise.withResolvers<void>();
const pool = new pg.Pool({ connectionString, max: concurrency + 2 });
const start = performance.now();
const runner = await run({
  pgPool: pool,
  concurrency,
  noHandleSignals: true,
  taskList: {
    none: async () => {
      if (++done === jobs) drained.resolve();
    },
  },
});
await drained.promise;
const seconds = (performance.now() - start) / 1000;
await runner.stop();
await pool.end();
console.log(`drained ${jobs / seconds} jobs/s`);
