// Gates shown closed once each, with their sentence, and opened: the switch then happens by itself.
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { BACKLOG_MAX } from '@tandem/storage/phase';
import { startTcpProxy } from '@tandem/storage/testing';
import { expect, onTestFinished, test, vi } from 'vitest';
import { moreWrites, startLoad } from '../load.ts';
import { phaseAt, reach, reached, setFlags } from '../phase-flags.ts';
import { call, query } from '../record-client.ts';
import { newMigratedDatabase, startApi, startWorker } from '../services.ts';
import { temporaryFolder } from '../tandem-process.ts';

const WAIT = { timeout: 90_000, interval: 50 };
const WRITERS = 16;

const waitsFor = (origin: string, sentence: RegExp): Promise<unknown> =>
  vi.waitUntil(async () => sentence.test((await phaseAt(origin))?.waitingFor ?? ''), WAIT);

test('I6: a mapping error, an outage, a backlog and a dead letter each hold the way to PostgreSQL, and let it go', async () => {
  const dataDir = temporaryFolder();
  mkdirSync(join(dataDir, 'json'));
  const unmappable = { id: 1, date: 'some day', category: 'Food', amount: 1, account: 'Cash' };
  writeFileSync(join(dataDir, 'json', 'expenses.json'), JSON.stringify([unmappable]));
  const url = await newMigratedDatabase();
  const proxy = await startTcpProxy(url);
  onTestFinished(() => proxy.close());
  const variables = { DATA_DIR: dataDir, DATABASE_URL: proxy.url };
  const api = await startApi(variables);
  const worker = startWorker(variables);
  const { origin } = api;
  try {
    await reach(url, origin, 'json-primary');
    await setFlags(url, 'postgres-primary');
    await waitsFor(origin, /mapping errors: 1 \(needed: none\), opens when each record/);
    await api.prints(/Staying in json-primary, not postgres-primary: .*mapping errors: 1/);
    await waitsFor(origin, /dead letters: 1 \(needed: none\), opens when each dead letter/);

    proxy.refuse();
    proxy.cut();
    await waitsFor(origin, /PostgreSQL usable: .* \(needed: yes\), opens when PostgreSQL answers/);
    proxy.accept();

    process.kill(worker.pid, 'SIGSTOP');
    const load = startLoad(origin, WRITERS);
    await moreWrites(load, BACKLOG_MAX);
    await load.stop();
    expect(Object.fromEntries(load.refused)).toEqual({});
    await waitsFor(origin, /backlog: \d{4} \(needed: at most 2000\), opens when the worker/);
    process.kill(worker.pid, 'SIGCONT');

    const mended = { field: 'date', value: '2025-11-23' };
    expect((await call(origin, 'PATCH', '/api/v1/expense/1', mended)).status).toBe(200);
    // Nobody redrives the dead letter: its record has moved on, and it is retired.
    await vi.waitUntil(async () => (await phaseAt(origin))?.effective === 'postgres-primary', WAIT);
    expect(await phaseAt(origin)).not.toHaveProperty('waitingFor');
    expect(await query(url, 'SELECT date::text FROM expenses WHERE id = 1')).toEqual([
      { date: '2025-11-23' },
    ]);
  } catch (error) {
    const said = (await phaseAt(origin))?.waitingFor;
    throw new Error(`${error}\nwaitingFor: ${said}\n${api.output().slice(-3_000)}`);
  }
  for (const service of [api, worker]) expect(await service.stop()).toBe(0);
}, 240_000);

test('I3: processes whose environments disagree hold a switch, and let it go when one of them has left', async () => {
  const url = await newMigratedDatabase();
  const variables = { DATA_DIR: temporaryFolder(), DATABASE_URL: url };
  const api = await startApi(variables);
  const worker = startWorker(variables);
  await reach(url, api.origin, 'postgres-primary');
  const other = await startApi({
    ...variables,
    FF_USE_DATABASE_STORAGE: 'true',
    FF_DUAL_WRITE_ENABLED: 'true',
  });
  await reached(other.origin, 'postgres-primary');
  await setFlags(url, 'json-primary');
  await worker.prints(
    /Staying in postgres-primary, not json-primary: .*opens when every process has the same FF_/,
  );
  expect((await phaseAt(api.origin))?.effective).toBe('postgres-primary');
  expect(await other.stop()).toBe(0);
  await reached(api.origin, 'json-primary');
  for (const service of [api, worker]) expect(await service.stop()).toBe(0);
}, 120_000);
