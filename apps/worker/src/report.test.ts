import type { CatchUpStatus } from '@tandem/storage/consistency';
import { expect, test } from 'vitest';
import { readinessOf, troubleOf, type WorkerReport } from './report.ts';

const phase = {
  pairId: 'p',
  epoch: 3,
  phase: 'json-primary',
  sealed: false,
  catchUpSince: null,
  attempt: null,
} as const;
const backlog = { queues: {}, total: 4, deadLetters: 1 };
const working: WorkerReport = {
  phase,
  toPostgres: { direction: 'postgres', state: 'working', settled: 9 },
  json: { state: 'off' },
  backlog,
};

test('a worker that works is ready, and says what waits', () => {
  expect(readinessOf(working)).toMatchObject({
    ready: true,
    status: 'ok',
    phase: { effective: 'json-primary', epoch: 3 },
    dependencies: { postgres: { status: 'up' }, json: { status: 'unused' } },
    backlog: 4,
    deadLetters: 1,
  });
});

test('without PostgreSQL it is not ready, and says since when', () => {
  const outage = { since: '2025-12-07T10:00:00.000Z', because: 'connect ECONNREFUSED' };
  expect(readinessOf({ ...working, outage, backlog: undefined })).toMatchObject({
    ready: false,
    status: 'unready',
    dependencies: { postgres: { status: 'down', detail: expect.stringContaining('ECONNREFUSED') } },
    backlog: null,
  });
});

test('I5: a paused direction or a JSON store that can’t be used is degraded, not unready', () => {
  const paused = { direction: 'postgres', state: 'paused', settled: 0 } as const;
  expect(readinessOf({ ...working, toPostgres: paused })).toMatchObject({
    ready: true,
    status: 'degraded',
  });
  const json = { state: 'standing by', because: 'expenses.json is damaged' } as const;
  expect(readinessOf({ ...working, json })).toMatchObject({
    ready: true,
    status: 'degraded',
    dependencies: { json: { status: 'degraded', detail: 'expenses.json is damaged' } },
  });
});

test('whoever asks who runs is told what a worker fails at, not how it fares otherwise', () => {
  expect(troubleOf(working)).toBeNull();
  expect(troubleOf({ json: { state: 'standing by', because: 'It is an older copy.' } })).toBe(
    'the JSON store: It is an older copy.',
  );
  const toPostgres = {
    direction: 'postgres',
    state: 'paused',
    settled: 0,
    pausedSince: '2025-12-07T10:00:00.000Z',
    pausedBecause: 'the disk is full',
  } as const;
  expect(troubleOf({ json: { state: 'off' }, toPostgres })).toBe(
    'write-to-postgres, paused since 2025-12-07T10:00:00.000Z: the disk is full',
  );
});

test('a catch-up is shown while it runs', () => {
  const catchUp: CatchUpStatus = {
    ...{ towards: 'json' as const, since: '2025-12-07T10:00:00.000Z', duty: 0.5 },
    ...{ done: 10, total: 100, perSecond: 5, secondsLeft: 18 },
  };
  expect(readinessOf({ ...working, catchUp })).toMatchObject({ ready: true, catchUp });
  expect(readinessOf(working)).not.toHaveProperty('catchUp');
});

test('while PostgreSQL is primary a worker is ready once JSON follows, by it or by another', () => {
  const inPostgres: WorkerReport = { ...working, phase: { ...phase, phase: 'postgres-primary' } };
  const ready = (json: WorkerReport['json']) => readinessOf({ ...inPostgres, json }).ready;
  expect(ready({ state: 'standing by' })).toBe(false);
  expect(ready({ state: 'preparing' })).toBe(false);
  expect(ready({ state: 'working' })).toBe(true);
  expect(ready({ state: 'standing by', isHeldElsewhere: true })).toBe(true);
});
