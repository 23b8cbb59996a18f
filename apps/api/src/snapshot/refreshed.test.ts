import { expect, test } from 'vitest';
import { Refreshed } from './refreshed.ts';

const PATIENT = { intervalMs: 0, patienceMs: 60_000 };

test('however many ask, one reads; who is asked by nobody reads nothing', async () => {
  let reads = 0;
  const { promise, resolve } = Promise.withResolvers<string>();
  const read = () => {
    reads += 1;
    return promise;
  };
  const refreshed = new Refreshed({ ...PATIENT, read });
  expect(reads).toBe(0);
  const asked = [refreshed.ask(), refreshed.ask()];
  resolve('read');
  for (const known of await Promise.all(asked)) expect(known).toMatchObject({ value: 'read' });
  expect(reads).toBe(1);
});

test('a read that hangs keeps nobody: the last value is told', async () => {
  let hangs = false;
  const never = new Promise<string>(() => {});
  const read = () => (hangs ? never : Promise.resolve('before'));
  const refreshed = new Refreshed({ read, intervalMs: 0, patienceMs: 1 });
  while ((await refreshed.ask()).value === undefined);
  hangs = true;
  expect(await refreshed.ask()).toMatchObject({ value: 'before', problem: null });
  expect(await refreshed.ask()).toMatchObject({ value: 'before' });
});

test('a read that waited for the return of its server is soon followed by another', async () => {
  let nowMs = 0;
  let value = 'as it was before the outage';
  const read = async () => {
    const seen = value;
    if (nowMs === 0) nowMs = 600_000;
    return seen;
  };
  const refreshed = new Refreshed({ ...PATIENT, read, clockMs: () => nowMs });
  expect(await refreshed.ask()).toMatchObject({ value });
  value = 'as it is';
  nowMs += 15_000;
  expect(await refreshed.ask()).toMatchObject({ value });
});

test('a read that fails leaves the value, with the reason', async () => {
  let problem: string | undefined;
  const read = async () => {
    if (problem !== undefined) throw new Error(problem);
    return 'known';
  };
  const refreshed = new Refreshed({ ...PATIENT, read });
  problem = 'It is away.';
  expect(await refreshed.ask()).toEqual({ value: undefined, readAt: null, problem });
  problem = undefined;
  const known = await askedUntil(refreshed, null);
  problem = 'It is away.';
  expect(await askedUntil(refreshed, problem)).toMatchObject({ value: 'known', problem });
  expect(known.readAt).toMatch(/Z$/);
});

/** A slow read is followed by a rest. */
async function askedUntil(refreshed: Refreshed<string>, problem: string | null) {
  for (;;) {
    const known = await refreshed.ask();
    if (known.problem === problem && known.value !== undefined) return known;
    await new Promise(setImmediate);
  }
}
