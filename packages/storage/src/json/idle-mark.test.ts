import { cp, readFile, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { freshDirectory, open, segmentsOf } from '../testing/json-fixture.ts';
import { create } from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { IdleMark } from './idle-mark.ts';

const IDLE_MARK_MS = 20;

async function markedLength(directory: string): Promise<number> {
  const manifest = await readFile(join(directory, '.tandem/manifest.json'), 'utf8');
  return JSON.parse(manifest).segments.at(-1).length;
}

test('I12: once writes have paused, a journal that loses its end is refused, not shorter', async () => {
  const directory = await freshDirectory();
  const store = await open(directory, { idleMarkMs: IDLE_MARK_MS });
  await create(store);
  const [segment = ''] = await segmentsOf(directory);
  const { size } = await stat(segment);
  await until('the journal is marked', async () => (await markedLength(directory)) === size);
  const copy = await freshDirectory();
  await cp(directory, copy, { recursive: true });
  const [cut = ''] = await segmentsOf(copy);
  await truncate(cut, size - 1);
  await expect(open(copy)).rejects.toMatchObject({
    code: 'refused-to-open',
    detail: { file: cut },
  });
});

test('I12: under steady load the mark moves on as well', async () => {
  const directory = await freshDirectory();
  const store = await open(directory, { idleMarkMs: IDLE_MARK_MS });
  await create(store);
  const first = await markedLength(directory);
  await until('the mark moves between writes', async () => {
    await create(store);
    return (await markedLength(directory)) > first;
  });
});

test('I3: a batch that is answered after the end asks for no mark: the lock may be let go of by then', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  const mark = new IdleMark(IDLE_MARK_MS, () => Promise.reject(new Error('It was marked.')));
  mark.touched();
  mark.end();
  mark.touched();
  expect(vi.getTimerCount()).toBe(0);
});
