import { loadCollections } from '@tandem/storage/collections';
import { readConfiguration } from '@tandem/storage/configuration';
import { silentLog } from '@tandem/storage/log';
import { noObserver } from '@tandem/storage/observer';
import { changeOf, expense, expenseText, openDualStores, until } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { ApiProcess } from './api-process.ts';

const RECORDS = 8_000;
const DRAIN_TIMEOUT_MS = 30_000;

test('I7: a stop in the middle of a catch-up brings PostgreSQL up to date, within the time of the drain', async () => {
  const dual = await openDualStores('json-primary');
  onTestFinished(() => dual.drop());
  const { json, store: postgres, directory } = dual;
  const changes = Array.from({ length: RECORDS }, (_, n) =>
    changeOf(n + 1, { epoch: 1, version: 1 }, null, expenseText(n + 1, 'adopted')),
  );
  await json.apply(changes.map((change) => ({ kind: 'change', change })));
  await json.phase.update({ catchUpSince: new Date().toISOString() });
  await json.close();
  const configuration = readConfiguration({
    ...{ DATABASE_URL: dual.url, JSON_DIR: directory, DATA_DIR: directory },
    ...{ FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'true' },
  });
  const collections = await loadCollections();
  const api = new ApiProcess({ configuration, collections, log: silentLog, observer: noObserver });
  await api.start();
  await until('the catch-up', () => api.watch.current !== undefined);
  await api.stop(DRAIN_TIMEOUT_MS);
  expect(await postgres.count(expense)).toBe(RECORDS);
});
