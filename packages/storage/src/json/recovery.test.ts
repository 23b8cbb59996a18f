import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { expect, onTestFailed, test } from 'vitest';
import {
  contentOf,
  freshDirectory,
  open,
  readRecords,
  segmentsOf,
} from '../testing/json-fixture.ts';
import {
  allTexts,
  create,
  expense,
  randomFrom,
  run,
  seedOf,
  setOf,
  valuesOf,
} from '../testing/store-fixture.ts';

const WRITER = join(import.meta.dirname, '../testing/json-writer-process.ts');

/** A store's directory as a crash would leave it: copied while the store is open. */
async function crashed(directory: string): Promise<string> {
  const copy = await freshDirectory();
  await cp(directory, copy, { recursive: true });
  return copy;
}

test('I1: every acknowledged write is there after kill -9 under load', async () => {
  const directory = await freshDirectory();
  const acknowledged: string[] = [];
  const seed = seedOf();
  onTestFailed(() => console.error(`TANDEM_SEED=${seed}`));
  const random = randomFrom(seed);
  for (let kill = 0; kill < 3; kill++) {
    const target = acknowledged.length + 200 + Math.floor(random() * 1_500);
    const child = spawn(process.execPath, [WRITER, directory, 'write'], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    const lines = createInterface({ input: child.stdout });
    lines.on('line', (line) => {
      if (line === 'open') return;
      acknowledged.push(`${kill}:${line}`);
      if (acknowledged.length === target) child.kill('SIGKILL');
    });
    await once(lines, 'close');
    const store = await open(directory);
    const notes = new Map<string, number>();
    for (const text of await allTexts(store)) {
      const note: string = JSON.parse(text).notes;
      notes.set(note, (notes.get(note) ?? 0) + 1);
    }
    const counted = Map.groupBy(acknowledged, (line) => line.slice(2));
    for (const [note, times] of counted) {
      expect(notes.get(note) ?? 0, note).toBeGreaterThanOrEqual(times.length);
    }
    await store.close();
    expect(await readRecords(directory)).toHaveLength(sum(notes.values()));
  }
});

const sum = (numbers: Iterable<number>): number =>
  [...numbers].reduce((total, number) => total + number, 0);

test('I12: a torn tail of any length is cut, kept aside, and nothing before it is lost', async () => {
  const directory = await freshDirectory();
  // A mark behind a pause would tell the torn batch from one that never was.
  const store = await open(directory, { idleMarkMs: 2 ** 30 });
  const first = await create(store, { notes: 'kept' });
  const [segment = ''] = await segmentsOf(directory);
  const kept = (await stat(segment)).size;
  const second = await create(store, { notes: 'maybe' });
  const whole = (await stat(segment)).size;
  // The last line of it is the commit line.
  const withoutCommit = (await readFile(segment)).lastIndexOf('\n', whole - 2) + 1;
  const within = [kept + 1, kept + 17, kept + 100, withoutCommit, whole - 2, whole - 1];
  const lengths = [kept, ...within, whole];
  for (const length of lengths) {
    const copy = await crashed(directory);
    const [tail = ''] = await segmentsOf(copy);
    await truncate(tail, length);
    const again = await open(copy);
    const expected = length === whole ? [second.text, first.text] : [first.text];
    expect(await allTexts(again)).toEqual(expected);
    const { torn } = again.recoveryReport;
    if (length === kept || length === whole) expect(torn).toBeUndefined();
    else {
      expect(torn?.bytes).toBe(length - kept);
      expect((await stat(torn?.keptAt ?? '')).size).toBe(length - kept);
    }
    // It goes on, also over another crash.
    const third = await create(again, { notes: 'later' });
    const later = await open(await crashed(copy));
    expect(await allTexts(later)).toEqual([third.text, ...expected]);
    expect(third.id).toBe(expected.length + 1);
  }
});

test('I12: a damaged middle refuses to open, names file and offset, and changes nothing', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  for (let index = 0; index < 4; index++) await create(store, { notes: `note ${index}` });
  const [segment = ''] = await segmentsOf(directory);
  const bytes = await readFile(segment);
  const seed = seedOf();
  onTestFailed(() => console.error(`TANDEM_SEED=${seed}`));
  const random = randomFrom(seed);
  const lastBatch = bytes.lastIndexOf('"kind":"change"');
  for (let round = 0; round < 40; round++) {
    const at = Math.floor(random() * (lastBatch - 200));
    const copy = await crashed(directory);
    const [damaged = ''] = await segmentsOf(copy);
    const flipped = Buffer.from(bytes);
    flipped[at] = (flipped[at] ?? 0) ^ (1 << Math.floor(random() * 8));
    await writeFile(damaged, flipped);
    const error = await open(copy).catch((reason) => reason);
    expect(error, `byte ${at}`).toMatchObject({ code: 'refused-to-open' });
    expect(error.message).toContain(damaged);
    expect(error.detail.offset).toBeLessThanOrEqual(at);
    expect(error.detail.whatToDo).toMatch(/backup/);
    expect(await readFile(damaged)).toEqual(flipped);
  }
});

test('I12: after a clean stop damage of the last batch is damage, not a torn tail', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  await store.phase.update({ phase: 'json-primary' });
  await create(store);
  await store.close();
  const again = await open(directory);
  await create(again);
  await again.phase.update({ lastKnownFlags: null });
  const copy = await crashed(directory);
  const segment = (await segmentsOf(copy)).at(-1) ?? '';
  await truncate(segment, (await stat(segment)).size - 10);
  await expect(open(copy)).rejects.toMatchObject({ code: 'refused-to-open' });
});

test('a bulk deletion torn in the middle never happened', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  const ids: number[] = [];
  for (let index = 0; index < 5; index++) ids.push((await create(store)).id);
  const before = await contentOf(store);
  const [segment = ''] = await segmentsOf(directory);
  const kept = (await stat(segment)).size;
  await run(store, { op: 'bulk-delete', collection: expense, ids });
  const whole = (await stat(segment)).size;
  for (const part of [0.3, 0.6, 0.9, 0.99]) {
    const copy = await crashed(directory);
    const [tail = ''] = await segmentsOf(copy);
    await truncate(tail, kept + Math.floor((whole - kept) * part));
    expect(await contentOf(await open(copy))).toEqual(before);
  }
});

test('everything survives a crash, a clean stop and both: stamps, tombstones, keys, ids', async () => {
  const directory = await freshDirectory();
  let store = await open(directory);
  const { id } = await create(store);
  await run(store, { op: 'update', collection: expense, id, set: setOf({ notes: 'x' }) });
  const gone = await create(store);
  await run(store, { op: 'delete', collection: expense, id: gone.id });
  await store.write({
    command: { op: 'create', collection: expense, values: valuesOf() },
    key: { key: 'k', fingerprint: 'f' },
  });
  await store.raiseIdHighWater({ income: 7 });
  const before = await contentOf(store);
  const phase = store.phase.read();
  const afterCrash = await open(await crashed(directory));
  expect(await contentOf(afterCrash)).toEqual(before);
  expect(afterCrash.phase.read()).toEqual({ ...phase, lineage: expect.anything() });
  await store.close();
  store = await open(directory);
  expect(store.recoveryReport.replayed).toBe(0);
  expect(await contentOf(store)).toEqual(before);
  await create(store);
  const more = await contentOf(store);
  expect(await contentOf(await open(await crashed(directory)))).toEqual(more);
});

test('a newer format, another store, a lost manifest and a lost segment are refused', async () => {
  const directory = await freshDirectory();
  const store = await open(directory);
  await create(store);
  const refused = async (change: (copy: string) => Promise<void>): Promise<string> => {
    const copy = await crashed(directory);
    await change(copy);
    const error = await open(copy).catch((reason) => reason);
    expect(error).toMatchObject({ code: 'refused-to-open' });
    return error.message;
  };
  const manifest = (copy: string) => join(copy, '.tandem/manifest.json');
  const edit = async (path: string, from: string, to: string) =>
    writeFile(path, (await readFile(path, 'utf8')).replace(from, to));
  expect(await refused((copy) => edit(manifest(copy), '"format": 1', '"format": 2'))).toMatch(
    /format 2/,
  );
  expect(await refused((copy) => edit(manifest(copy), '"epoch": 1', '"epoch": 9'))).toMatch(
    /checksum/,
  );
  expect(await refused((copy) => rm(manifest(copy)))).toMatch(/missing, although/);
  expect(await refused((copy) => rm(join(copy, '.tandem/state-00000001.log')))).toMatch(/state-/);
  expect(await refused(async (copy) => rm((await segmentsOf(copy))[0] ?? ''))).toMatch(/segment/);
});
