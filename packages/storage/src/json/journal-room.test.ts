import { cp, readFile, stat, truncate, writeFile } from 'node:fs/promises';
import { expect, onTestFinished, test } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import {
  type FileOperation,
  fileError,
  interceptFileSystem,
} from '../testing/intercepted-file-system.ts';
import { freshDirectory, open, segmentsOf } from '../testing/json-fixture.ts';
import { allTexts, create } from '../testing/store-fixture.ts';
import { realFileSystem } from './index.ts';
import { openJsonSnapshot } from './json-snapshot.ts';

const ROOM = { fromBytes: 0, bytes: 4_096 };
/** A mark behind a pause would tell a torn batch from one that never was. */
const WITH_ROOM = { journalRoom: ROOM, idleMarkMs: 2 ** 30 };

async function crashed(directory: string): Promise<string> {
  const copy = await freshDirectory();
  await cp(directory, copy, { recursive: true });
  return copy;
}

async function lastSegment(directory: string): Promise<string> {
  return (await segmentsOf(directory)).at(-1) ?? '';
}

/** Where the last segment's lines end, and where the file does. */
async function ends(directory: string): Promise<{ lines: number; file: number }> {
  const bytes = await readFile(await lastSegment(directory));
  const lines = bytes.lastIndexOf('\n') + 1;
  expect(bytes.subarray(lines).every((byte) => byte === 0)).toBe(true);
  return { lines, file: bytes.length };
}

test('a segment that grows reserves room, uses it up, and gives it back at a clean stop', async () => {
  const directory = await freshDirectory();
  const store = await open(directory, WITH_ROOM);
  await create(store);
  const first = await ends(directory);
  expect(first.file).toBe(first.lines + ROOM.bytes);
  await create(store);
  expect((await ends(directory)).file).toBe(first.file);
  await create(store, { notes: 'x'.repeat(ROOM.bytes) });
  const grown = await ends(directory);
  expect(grown.file).toBe(grown.lines + ROOM.bytes);
  await store.close({ checkpoint: false });
  expect((await ends(directory)).file).toBe(grown.lines);
});

test('a segment that stays short reserves nothing', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  await create(store);
  const { lines, file } = await ends(directory);
  expect(file).toBe(lines);
});

test('I1, I12: room behind the last batch is no torn tail, and is written to after a crash', async () => {
  const directory = await freshDirectory();
  const store = await open(directory, WITH_ROOM);
  const first = await create(store);
  const copy = await crashed(directory);
  const again = await open(copy, WITH_ROOM);
  expect(again.recoveryReport.torn).toBeUndefined();
  const second = await create(again);
  const later = await open(await crashed(copy));
  expect(later.recoveryReport.torn).toBeUndefined();
  expect(await allTexts(later)).toEqual([second.text, first.text]);
});

test('I12: a batch torn within the room is kept aside without the room, whatever arrived of it', async () => {
  const directory = await freshDirectory();
  const store = await open(directory, WITH_ROOM);
  const first = await create(store);
  const { lines } = await ends(directory);
  const second = await create(store, { notes: 'y'.repeat(1_500) });
  const whole = await ends(directory);
  const bytes = await readFile(await lastSegment(directory));
  // Sectors end at multiples of 512; a share of the batch never arrived, at its end or within.
  const sector = Math.ceil(lines / 512) * 512;
  for (const [from, to, left] of [
    [sector, whole.lines, sector],
    [sector + 512, whole.lines, sector + 512],
    [lines, sector, whole.lines],
    [sector, sector + 512, whole.lines],
  ] as const) {
    const copy = await crashed(directory);
    await writeFile(await lastSegment(copy), Buffer.from(bytes).fill(0, from, to));
    const again = await open(copy);
    expect(await allTexts(again)).toEqual([first.text]);
    expect(again.recoveryReport.torn?.bytes).toBe(left - lines);
    await create(again);
  }
  const damaged = await crashed(directory);
  const flipped = Buffer.from(bytes);
  flipped[lines + 700] = (flipped[lines + 700] ?? 0) ^ 4;
  await writeFile(await lastSegment(damaged), flipped);
  await expect(open(damaged)).rejects.toMatchObject({ code: 'refused-to-open' });
  const cut = await crashed(directory);
  await truncate(await lastSegment(cut), whole.lines + 10);
  expect(await allTexts(await open(cut))).toEqual([second.text, first.text]);
});

test('I5, I11: a disk without room for reserves takes what it has room for', async () => {
  const directory = await freshDirectory();
  let asked = 0;
  const hasNoReserve = ({ kind, path, bytes }: FileOperation): void => {
    if (kind !== 'write' || !path.includes('journal-') || bytes?.[0] !== 0) return;
    asked++;
    throw fileError('ENOSPC');
  };
  const fileSystem = interceptFileSystem(realFileSystem, hasNoReserve);
  const store = await open(directory, { ...WITH_ROOM, fileSystem });
  const first = await create(store);
  const second = await create(store);
  expect(asked).toBe(1);
  const { lines, file } = await ends(directory);
  expect(file).toBe(lines);
  expect((await stat(await lastSegment(directory))).size).toBe(lines);
  const again = await open(await crashed(directory));
  expect(await allTexts(again)).toEqual([second.text, first.text]);
});

test('a reader beside the holder takes room for the end of what was written', async () => {
  const directory = await freshDirectory();
  const store = await open(directory, WITH_ROOM);
  const first = await create(store);
  const snapshot = await openJsonSnapshot({ directory, collections: await loadCollections() });
  onTestFinished(() => snapshot.close());
  const texts = () => allTexts(snapshot as unknown as Parameters<typeof allTexts>[0]);
  expect(await texts()).toEqual([first.text]);
  const second = await create(store, { notes: 'z'.repeat(ROOM.bytes) });
  await snapshot.refresh();
  expect(await texts()).toEqual([second.text, first.text]);
});
