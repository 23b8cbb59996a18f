import { setTimeout as sleep } from 'node:timers/promises';
import { silentLog } from '@tandem/storage/log';
import { expect, test, vi } from 'vitest';
import { Sampled } from './sampled.ts';

const of = (read: () => Promise<number | undefined>) =>
  new Sampled({ name: 'It', read, intervalMs: 1, log: silentLog });

test('a read that hangs keeps nobody waiting: the value stays, and its age grows', async () => {
  const { promise: hanging, resolve } = Promise.withResolvers<number>();
  let reads = 0;
  const sampled = of(() => (++reads === 1 ? Promise.resolve(7) : hanging));
  expect(sampled.current).toBeUndefined();
  sampled.start();
  await vi.waitUntil(() => reads === 2);
  const first = sampled.current;
  await sleep(5);
  expect(sampled.current?.value).toBe(7);
  expect(sampled.current?.ageSeconds).toBeGreaterThan(first?.ageSeconds ?? Number.NaN);
  expect(reads).toBe(2);
  resolve(8);
  await sampled.stop();
  expect(sampled.current?.value).toBe(8);
});

test('what fails is read again, and keeps the value; what is gone is told no more', async () => {
  const next = () => Promise.withResolvers<number | undefined>();
  const answers = [next(), next(), next()] as const;
  let reads = 0;
  const sampled = of(() => answers[reads++]?.promise ?? Promise.resolve(undefined));
  sampled.start();
  answers[0].resolve(1);
  await vi.waitUntil(() => reads === 2);
  answers[1].reject(new Error('It is away.'));
  await vi.waitUntil(() => reads === 3);
  expect(sampled.current?.value).toBe(1);
  answers[2].resolve(undefined);
  await vi.waitUntil(() => sampled.current === undefined);
  await sampled.stop();
});
