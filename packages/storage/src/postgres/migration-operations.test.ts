import { afterEach, beforeEach, expect, test } from 'vitest';
import { silentLog } from '../log.ts';
import {
  flagsOf,
  type JsonPhaseState,
  type MigrationOperations,
  type Phase,
  type PhaseFlags,
  type ProcessFacts,
  resolveFlags,
} from '../phase/index.ts';
import { createTestDatabase, type TestDatabase } from '../testing/database.ts';
import { migrationOperations, ProcessRegistry, postgresPhase, readPhaseFlags } from './index.ts';

let database: TestDatabase;
let json: JsonPhaseState | undefined;
let jsonHead = 0;
let backlog = { total: 0, deadLetters: 0 };
let operations: MigrationOperations;

beforeEach(async () => {
  database = await createTestDatabase();
  json = undefined;
  jsonHead = 0;
  backlog = { total: 0, deadLetters: 0 };
  operations = operationsWith({});
});
afterEach(() => database.drop());

const operationsWith = (lockedFlags: Partial<PhaseFlags>) =>
  migrationOperations({
    ...{ pool: database.pool, lockedFlags },
    json: async () => ({ phase: json, head: jsonHead }),
    backlog: async () => backlog,
  });

const jsonAt = (phase: Phase, epoch: number): JsonPhaseState => ({
  ...{ pairId: 'pair', phase, epoch, sealed: false, committing: null },
  ...{ catchUpSince: null, lastKnownFlags: null },
});

/** A process that runs, as far as the database knows. */
async function running(
  kind: 'api' | 'worker',
  locked: Partial<PhaseFlags> = {},
  facts: Partial<ProcessFacts> = {},
): Promise<ProcessRegistry> {
  const registry = new ProcessRegistry({ pool: database.pool, kind, log: silentLog });
  const rows = await readPhaseFlags(database.pool);
  const { flags, desired } = resolveFlags(locked, { read: true, rows }, null);
  const told = {
    effective: null,
    epoch: null,
    ready: true,
    waitingFor: null,
    catchUp: null,
    work: null,
  };
  await registry.beat({ ...told, desired, flags, ...facts });
  return registry;
}

async function move(phase: Phase, evidence: Record<string, unknown> = {}): Promise<void> {
  const row = postgresPhase(database.pool, () => new Date());
  const { epoch } = await row.read();
  const reason = { actor: 'api 1', reason: 'The flags ask for it.', evidence };
  expect(await row.advance(epoch, { phase, epoch: epoch + 1 }, reason)).toBe(true);
}

const ASKED = { actor: 'ann@here', reason: 'Phase 4 on Tuesday.' };

test('setting a phase writes both flags, and who asked why', async () => {
  await move('json-primary');
  const answer = await operations.setPhase('postgres-primary', ASKED);
  expect(answer).toMatchObject({
    ...{ effective: 'json-primary', desired: 'postgres-primary', dryRun: false },
    steps: [{ from: 'json-primary', to: 'postgres-primary', movesPrimary: true }],
    warnings: ['No api or worker runs: the phase moves when one starts.'],
  });
  expect(await readPhaseFlags(database.pool)).toEqual(flagsOf('postgres-primary'));
  expect(await operations.phase()).toMatchObject({
    ...{ desired: 'postgres-primary', effective: 'json-primary', epoch: 1, source: 'asked' },
    intent: { ...ASKED, act: 'set', desired: 'postgres-primary' },
  });
});

test('a dry run writes nothing and shows steps, gates with their numbers, and the pause', async () => {
  await move('json-only');
  backlog = { total: 4_000, deadLetters: 2 };
  const { steps, dryRun } = await operations.setPhase('postgres-only', { ...ASKED, dryRun: true });
  expect(dryRun).toBe(true);
  expect(steps.map(({ to }) => to)).toEqual(['json-primary', 'postgres-primary', 'postgres-only']);
  const gate = (name: string) => steps[1]?.gates.find((one) => one.name === name);
  expect(gate('dead letters')).toMatchObject({ open: false, value: 2, needed: 'none' });
  expect(gate('backlog')).toMatchObject({ open: false, value: 4_000 });
  expect(gate('mapping errors')).toMatchObject({ open: null, value: 'not known from here' });
  expect(gate('processes agree')).toMatchObject({ open: true });
  expect(steps[1]?.pause).toEqual({ ms: 2_200, basis: 'estimated' });
  expect(await readPhaseFlags(database.pool)).toEqual({});
  expect((await operations.phase()).intent).toBeNull();
});

test('how it stands is one look: the steps to both neighbours, and which of them an environment locks', async () => {
  await move('json-primary');
  backlog = { total: 0, deadLetters: 2 };
  await operations.setPhase('postgres-primary', ASKED);
  await running('api', { DUAL_WRITE_ENABLED: true });
  const standing = await operations.standing(1);
  expect(standing).toMatchObject({
    phase: { effective: 'json-primary', desired: 'postgres-primary' },
    ahead: { from: 'json-primary', to: 'postgres-primary', lockedBy: null },
    back: { from: 'json-primary', to: 'json-only', gates: [] },
    processes: [{ kind: 'api' }],
    backfill: { towards: 'postgres', running: [] },
    history: [{ kind: 'set', to: 'postgres-primary', reason: ASKED.reason }],
  });
  expect(standing.ahead?.gates.find(({ name }) => name === 'dead letters')?.open).toBe(false);
  expect(standing.back?.lockedBy).toMatch(/FF_DUAL_WRITE_ENABLED=true is set for api /);
  await move('postgres-only');
  expect(await operations.standing(1)).toMatchObject({
    ahead: null,
    back: { to: 'postgres-primary', movesPrimary: false },
  });
});

test('what the journal has and the queue has not counts as waiting too', async () => {
  await move('json-primary');
  json = jsonAt('json-primary', 1);
  jsonHead = 3_000;
  backlog = { total: 10, deadLetters: 0 };
  await database.pool.query(`INSERT INTO relay_cursor (pair_id, seq) VALUES ('pair', 900)`);
  const { steps } = await operations.setPhase('postgres-primary', { ...ASKED, dryRun: true });
  const gate = steps[0]?.gates.find(({ name }) => name === 'backlog');
  expect(gate).toMatchObject({ open: false, value: 2_110 });
});

test('the pause expected is the one measured by the last switches', async () => {
  await move('json-primary');
  await move('postgres-primary', { pauseMs: 87, carriedOver: 3 });
  await move('json-primary', { pauseMs: 45 });
  const { steps } = await operations.setPhase('postgres-primary', { ...ASKED, dryRun: true });
  expect(steps.map(({ pause }) => pause)).toEqual([{ ms: 87, basis: 'measured' }]);
});

test('a flag that a live process’s environment locks otherwise refuses, by name; nothing is written', async () => {
  await move('json-primary');
  const api = await running('api', { USE_DATABASE_STORAGE: false, DUAL_WRITE_ENABLED: true });
  const refusal = operations.setPhase('postgres-primary', ASKED);
  await expect(refusal).rejects.toMatchObject({
    code: 'conflict',
    message: expect.stringMatching(
      new RegExp(
        `^postgres-primary can't be set: FF_USE_DATABASE_STORAGE=false is set for api ${process.pid} on `,
      ),
    ),
  });
  expect(await readPhaseFlags(database.pool)).toEqual({});
  // Locked to the value that is wanted is no hindrance.
  await operations.setPhase('json-primary', ASKED);
  await api.stop();
  await operations.setPhase('postgres-primary', ASKED);
});

test('without a live process the own environment only warns', async () => {
  const { warnings } = await operationsWith({ DUAL_WRITE_ENABLED: false }).setPhase(
    'json-primary',
    ASKED,
  );
  expect(warnings).toEqual([
    'No api or worker runs: the phase moves when one starts.',
    'FF_DUAL_WRITE_ENABLED=false is set here; a process started with it keeps false.',
  ]);
});

test('processes that disagree are told, and close a gate', async () => {
  await move('json-primary');
  await running('api', { DUAL_WRITE_ENABLED: true });
  await running('worker');
  const { warnings, steps } = await operations.setPhase('postgres-primary', ASKED);
  expect(warnings).toEqual([expect.stringMatching(/^The environments disagree/)]);
  expect(steps[0]?.gates.find(({ name }) => name === 'processes agree')?.open).toBe(false);
  expect((await operations.phase()).disagreement).toBe(warnings[0]);
});

test('cancelling sets the flags back to the phase that is effective', async () => {
  await move('json-primary');
  await operations.setPhase('postgres-only', ASKED);
  const answer = await operations.cancelPhase({ ...ASKED, reason: 'Not today.' });
  expect(answer).toMatchObject({ desired: 'json-primary', effective: 'json-primary', steps: [] });
  expect(await readPhaseFlags(database.pool)).toEqual(flagsOf('json-primary'));
  expect((await operations.phase()).intent).toMatchObject({ act: 'cancel', reason: 'Not today.' });
});

test('the effective phase is that of the furthest store, or of a process that knows more', async () => {
  await move('json-primary');
  expect(await operations.phase()).toMatchObject({ effective: 'json-primary', epoch: 1 });
  json = jsonAt('json-only', 5);
  expect(await operations.phase()).toMatchObject({ effective: 'json-only', epoch: 5 });
  await running('api', {}, { effective: 'json-primary', epoch: 6 });
  expect(await operations.phase()).toMatchObject({ effective: 'json-primary', epoch: 6 });
  expect((await operations.cancelPhase(ASKED)).desired).toBe('json-primary');
});

test('what is desired is what the live processes believe, with what they wait for', async () => {
  await move('json-primary');
  const own = operationsWith({ USE_DATABASE_STORAGE: true, DUAL_WRITE_ENABLED: false });
  expect(await own.phase()).toMatchObject({ desired: 'postgres-only', source: 'asked' });
  await running('api', {}, { desired: 'postgres-primary' });
  await running('worker', {}, { waitingFor: 'dead letters: 2 (needed: none).' });
  expect(await own.phase()).toMatchObject({
    ...{ desired: 'postgres-primary', effective: 'json-primary', source: 'processes' },
    waitingFor: 'dead letters: 2 (needed: none).',
  });
  expect(await own.processes()).toMatchObject([{ kind: 'api' }, { kind: 'worker' }]);
});

test('the history has moves and what was asked for, newest first', async () => {
  await move('json-primary');
  await operations.setPhase('postgres-primary', ASKED);
  await move('postgres-primary', { pauseMs: 12 });
  await operations.cancelPhase(ASKED);
  const history = await operations.history(3);
  expect(history).toMatchObject([
    { kind: 'cancel', actor: 'ann@here', from: null, to: 'postgres-primary', epoch: null },
    {
      ...{
        kind: 'moved',
        actor: 'ann@here',
        from: 'json-primary',
        to: 'postgres-primary',
        epoch: 2,
      },
      reason: 'Phase 4 on Tuesday.',
      evidence: { pauseMs: 12, driver: 'api 1', because: 'The flags ask for it.' },
    },
    { kind: 'set', reason: 'Phase 4 on Tuesday.', evidence: null },
  ]);
  for (const { at } of history) expect(new Date(at).toISOString()).toBe(at);
});

test('a move is an operator’s while the flags stand as the operator wrote them, and only on their way', async () => {
  await move('json-primary');
  await operations.setPhase('postgres-only', ASKED);
  // The wrong way is nobody's order.
  await move('json-only');
  await move('json-primary');
  await move('postgres-primary');
  await database.pool.query(
    `UPDATE feature_flags SET enabled = true WHERE name = 'DUAL_WRITE_ENABLED'`,
  );
  await move('postgres-only');
  const moves = (await operations.history(10)).filter(({ kind }) => kind === 'moved');
  expect(moves.map(({ actor, to, reason }) => [to, actor, reason])).toEqual([
    ['postgres-only', 'api 1', 'The flags ask for it.'],
    ['postgres-primary', ASKED.actor, ASKED.reason],
    ['json-primary', ASKED.actor, ASKED.reason],
    ['json-only', 'api 1', 'The flags ask for it.'],
    ['json-primary', 'api 1', 'The flags ask for it.'],
  ]);
});

test('a table that is missing is a failure of the storage, not an empty answer', async () => {
  await database.pool.query('ALTER TABLE phase_state RENAME TO elsewhere');
  await expect(operations.phase()).rejects.toMatchObject({ code: 'storage-failed' });
  await expect(operations.setPhase('json-only', ASKED)).rejects.toMatchObject({
    code: 'storage-failed',
  });
});
