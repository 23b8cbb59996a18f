import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { readConfiguration } from '@tandem/storage/configuration';
import { silentLog } from '@tandem/storage/log';
import { chainOf, create, openDualStores, setOf } from '@tandem/storage/testing';
import type { Snapshot } from '@tandem/telemetry/snapshot';
import type { FastifyInstance } from 'fastify';
import { build } from '../app.ts';
import { openOperators } from '../operators.ts';
import { READY } from './app-without-store.ts';

export const TOKEN = 'a-token-of-more-than-16-characters';

/** The API with all of its routes, as `server.ts` builds it, over two real stores. */
export interface WholeApi {
  readonly app: FastifyInstance;
  /** What stands for the samples of the document that only a running system can name. */
  readonly present: { readonly jobId: string; readonly edits: readonly [string, string] };
  close(): Promise<void>;
}

/** What an api that has only just begun tells the console. */
const snapshotOf = (flags: Snapshot['api']['flags']): Snapshot => ({
  at: '2025-12-07T10:00:00.000Z',
  api: {
    ...{ process: 'api 1 on here', startedAt: '2025-12-07T10:00:00.000Z', status: 'ok', flags },
    ...{ effective: 'json-primary', desired: 'json-primary', epoch: 2, dependencies: {} },
    ...{ waitingFor: null, brake: null, switchState: null, requestsWaiting: 0, catchUp: null },
  },
  database: { problem: null, asOf: null },
  ...{ migration: null, trust: null, work: null, journalPending: null, queues: null },
  collections: [],
  samples: {
    ...{ at: [], backlog: [], lag: [], written: [], applied: [], failed: [], deadLetters: [] },
  },
});

/** Builds it over stores that have one of everything: a record, a dead letter, a comparison that found
 *  a difference, and two edits that something else made. */
export async function wholeApi(): Promise<WholeApi> {
  const dual = await openDualStores('json-primary', 'api');
  const { json, pool, collections, directory } = dual;
  for (const collection of collections) await create(json, {}, collection);
  await dual.replicated();
  await pool.query(`UPDATE expenses SET notes = 'typed'`);
  await dual.compare('json', { mode: 'full' });
  await dual.bury('postgres', chainOf(2, 1));
  const configuration = readConfiguration({
    ...{ DATA_DIR: directory, JSON_DIR: directory, OPERATOR_TOKEN: TOKEN },
    DATABASE_URL: dual.url,
  });
  const operators = await openOperators(configuration, collections, silentLog);
  const app = await build({
    collections,
    primary: () => json,
    readiness: () => READY,
    log: { level: 'silent' },
    migration: operators,
    deadLetters: operators.deadLetters,
    consistency: operators.consistency,
    externalEdits: operators,
    metrics: { contentType: 'text/plain', text: async () => 'up 1\n' },
    access: { operatorToken: TOKEN },
    snapshot: { snapshot: async () => snapshotOf((await operators.operations.phase()).flags) },
  });
  const file = join(directory, 'expenses.json');
  for (const notes of ['one', 'two']) {
    await json.checkpoint();
    const records = JSON.parse(await readFile(file, 'utf8'));
    await writeFile(file, JSON.stringify(records.map((record: object) => ({ ...record, notes }))));
    const values = setOf({ account: notes });
    const [collection] = collections;
    if (collection === undefined) throw new Error('There is no collection.');
    await json.write({ command: { op: 'update', collection, id: 1, set: values } });
  }
  await json.checkpoint();
  const names = (await operators.edits.list()).map(({ name }) => name);
  const { letters } = await operators.deadLetters.operations.page({}, {});
  return {
    app,
    present: { jobId: letters[0]?.jobId ?? '', edits: [names[0] ?? '', names[1] ?? ''] },
    async close() {
      await app.close();
      await operators.close();
      await dual.drop();
    },
  };
}
