import { expect, test } from 'vitest';
import { resolveFlags } from './flags.ts';
import type { PhaseFlags } from './phases.ts';
import { disagreement, type LiveProcess, spokesman } from './process-registry.ts';

function process(
  kind: LiveProcess['kind'],
  pid: number,
  locked: Partial<PhaseFlags> = {},
  rest: Partial<LiveProcess> = {},
): LiveProcess {
  const { flags, desired } = resolveFlags(locked, { read: true, rows: {} }, null);
  return {
    ...{ id: `${kind}-${pid}`, kind, pid, host: 'here', flags, desired },
    startedAt: '2025-12-07T10:00:00.000Z',
    seenAt: '2025-12-07T10:00:01.000Z',
    ...{
      effective: 'json-only',
      epoch: 1,
      ready: true,
      waitingFor: null,
      catchUp: null,
      work: null,
    },
    ...rest,
  };
}

test('processes of one environment agree, whatever they read elsewhere', () => {
  expect(disagreement([])).toBeNull();
  expect(disagreement([process('api', 1)])).toBeNull();
  const unread = resolveFlags({}, { read: false, why: 'It is down.' }, null);
  expect(disagreement([process('api', 1), process('worker', 2, {}, unread)])).toBeNull();
  const locked = { DUAL_WRITE_ENABLED: true };
  expect(disagreement([process('api', 1, locked), process('worker', 2, locked)])).toBeNull();
});

test('those whose environments differ are named in one sentence, with what each has', () => {
  const processes = [
    process('api', 1, { DUAL_WRITE_ENABLED: true, USE_DATABASE_STORAGE: true }),
    process('api', 2, { DUAL_WRITE_ENABLED: false, USE_DATABASE_STORAGE: true }),
    process('worker', 3, { USE_DATABASE_STORAGE: true }),
    process('worker', 4, { DUAL_WRITE_ENABLED: true, USE_DATABASE_STORAGE: true }),
  ];
  expect(disagreement(processes)).toBe(
    'The environments disagree, so no switch starts: FF_DUAL_WRITE_ENABLED is true in api 1 on here, ' +
      'worker 4 on here and false in api 2 on here and not set in worker 3 on here.',
  );
});

test('an api speaks for all, of several the one that is furthest', () => {
  expect(spokesman([])).toBeUndefined();
  const processes = [
    process('worker', 1, {}, { epoch: 9 }),
    process('api', 2, {}, { epoch: null }),
    process('api', 3, {}, { epoch: 4 }),
    process('api', 4, {}, { epoch: 4, seenAt: '2025-12-07T10:00:02.000Z' }),
  ];
  expect(spokesman(processes)?.pid).toBe(4);
  expect(spokesman(processes.slice(0, 1))?.pid).toBe(1);
});
