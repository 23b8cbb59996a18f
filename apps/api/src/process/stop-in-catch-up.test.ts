import { changeOf, expense, expenseText, openDualStores, until } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { apiProcessOver } from '../testing/api-process-over.ts';

const RECORDS = 8_000;
const DRAIN_TIMEOUT_MS = 30_000;

test('I7: a stop in the middle of a catch-up brings PostgreSQL up to date, within the time of the drain', async () => {
  const dual = await openDualStores('json-primary');
  onTestFinished(() => dual.drop());
  const { json, store: postgres } = dual;
  const changes = Array.from({ length: RECORDS }, (_, n) =>
    changeOf(n + 1, { epoch: 1, version: 1 }, null, expenseText(n + 1, 'adopted')),
  );
  await json.apply(changes.map((change) => ({ kind: 'change', change })));
  await json.phase.update({ catchUpSince: new Date().toISOString() });
  await json.close();
  const flags = { FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'true' };
  const api = await apiProcessOver(dual, flags);
  await api.start();
  await until('the catch-up', () => api.watch.current !== undefined);
  await api.stop(DRAIN_TIMEOUT_MS);
  expect(await postgres.count(expense)).toBe(RECORDS);
});
