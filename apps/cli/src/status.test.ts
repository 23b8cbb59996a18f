import type { JsonPhaseState, LiveProcess, Phase, PostgresPhaseState } from '@tandem/storage/phase';
import { expect, test } from 'vitest';
import { type JsonFacts, type PostgresFacts, statusOf } from './status.ts';
import { statusAsText } from './status-text.ts';

const jsonAt = (epoch: number, phase: Phase): JsonPhaseState => ({
  pairId: 'a-pair',
  epoch,
  phase,
  sealed: false,
  committing: null,
  catchUpSince: null,
  lastKnownFlags: { USE_DATABASE_STORAGE: true, DUAL_WRITE_ENABLED: true },
});

const postgresAt = (epoch: number, phase: Phase): PostgresPhaseState => ({
  pairId: 'a-pair',
  epoch,
  phase,
  sealed: false,
  catchUpSince: null,
  attempt: null,
});

const json = (epoch: number, phase: Phase): JsonFacts => ({
  directory: '/data/json',
  phase: jsonAt(epoch, phase),
  outboxHead: 50,
});

const postgres = (epoch: number, phase: Phase): PostgresFacts => ({
  known: true,
  verify: null,
  divergences: [],
  phase: postgresAt(epoch, phase),
  flags: { DUAL_WRITE_ENABLED: true },
  relayed: 42,
  backlog: {
    queues: { 'write-to-postgres': { waiting: 2, active: 1, deadLetters: 4 } },
    total: 3,
    deadLetters: 4,
  },
  queueAges: { 'write-to-postgres': 12.4, 'write-to-json': null },
  processes: [],
});

const DOWN: PostgresFacts = { known: false, reachable: false, problem: 'It is down.' };

test('the backlog is what the journal still has and what the queue still has', () => {
  const status = statusOf({
    lockedFlags: {},
    json: json(2, 'json-primary'),
    postgres: postgres(2, 'json-primary'),
  });
  expect(status).toMatchObject({
    desired: 'json-primary',
    effective: 'json-primary',
    backlog: 8 + 3,
    deadLetters: 4,
    json: { notRelayed: 8 },
  });
});

test('the journal is no outbox while PostgreSQL is primary', () => {
  const facts = { json: json(3, 'postgres-primary'), postgres: postgres(3, 'postgres-primary') };
  expect(statusOf({ lockedFlags: {}, ...facts }).backlog).toBe(3);
});

test('while the secondary is brought up by difference nobody knows what it lacks', () => {
  const since = '2025-12-07T10:00:00.000Z';
  const ofJson = { json: json(2, 'json-primary'), postgres: postgres(2, 'json-primary') };
  const toPostgres = statusOf({
    ...{ lockedFlags: {}, ...ofJson },
    json: { ...ofJson.json, phase: { ...jsonAt(2, 'json-primary'), catchUpSince: since } },
  });
  expect(toPostgres).toMatchObject({ backlog: null, deadLetters: 4 });
  expect(toPostgres.problems).toEqual([
    `PostgreSQL must be brought up by difference (since ${since}); how much it lacks is not counted.`,
  ]);
  const ofPostgres = {
    json: json(3, 'postgres-primary'),
    postgres: postgres(3, 'postgres-primary'),
  };
  const toJson = statusOf({
    ...{ lockedFlags: {}, ...ofPostgres },
    postgres: {
      ...(ofPostgres.postgres as Extract<PostgresFacts, { known: true }>),
      phase: { ...postgresAt(3, 'postgres-primary'), catchUpSince: since },
    },
  });
  expect(toJson.backlog).toBe(null);
  expect(toJson.problems[0]).toContain('JSON must be brought up by difference');
});

test('what a process fails at in the phase that is asked for is a problem, and so is another folder', () => {
  const facts = postgres(3, 'postgres-primary') as Extract<PostgresFacts, { known: true }>;
  const { flags } = statusOf({
    lockedFlags: {},
    json: json(3, 'postgres-primary'),
    postgres: DOWN,
  });
  const worker: LiveProcess = {
    ...{ id: 'a', kind: 'worker', pid: 7, host: 'vm', startedAt: '', seenAt: '', flags, epoch: 3 },
    ...{ effective: 'postgres-primary', desired: 'postgres-primary', ready: true },
    ...{ waitingFor: 'the JSON store: It is an older copy.', catchUp: null, work: null },
  };
  const status = statusOf({
    ...{ lockedFlags: {}, json: json(3, 'postgres-primary') },
    postgres: { ...facts, processes: [worker, { ...worker, pid: 8, desired: 'json-primary' }] },
  });
  expect(status.problems).toEqual([
    'worker 7 on vm waits for the JSON store: It is an older copy.',
  ]);
  expect(statusAsText(status)).toMatch(/worker 7 on vm .*\| ready, degraded$/m);
  const elsewhere = statusOf({ lockedFlags: {}, json: { directory: '/other' }, postgres: facts });
  expect(elsewhere.problems).toEqual([
    '/other does not hold the JSON store that this database belongs to: set JSON_DIR as the service has it, or ask where that store is.',
  ]);
});

test('of two stores the one with the higher epoch says the phase', () => {
  const effective = (jsonEpoch: number, postgresEpoch: number) =>
    statusOf({
      lockedFlags: {},
      json: json(jsonEpoch, 'json-primary'),
      postgres: postgres(postgresEpoch, 'postgres-primary'),
    }).effective;
  expect(effective(2, 3)).toBe('postgres-primary');
  expect(effective(4, 3)).toBe('json-primary');
});

test('with the database down the last known flags stand, and counts are not known', () => {
  const status = statusOf({
    lockedFlags: { DUAL_WRITE_ENABLED: false },
    json: json(5, 'postgres-only'),
    postgres: DOWN,
  });
  expect(status).toMatchObject({
    desired: 'postgres-only',
    effective: 'postgres-only',
    backlog: null,
    deadLetters: null,
    queues: null,
    flags: {
      USE_DATABASE_STORAGE: { source: 'last-known' },
      DUAL_WRITE_ENABLED: { source: 'environment' },
    },
  });
  expect(status.problems).toEqual([
    'It is down.',
    'The phase is what the JSON store last knew; the database may be further.',
  ]);
});

test('without either store nothing is known of the phase', () => {
  const facts = { lockedFlags: {}, json: { directory: '/data/json' }, postgres: DOWN };
  expect(statusOf(facts)).toMatchObject({ desired: 'json-only', effective: null, backlog: null });
});
