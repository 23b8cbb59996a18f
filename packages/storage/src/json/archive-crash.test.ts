import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import { type FileOperation, interceptFileSystem } from '../testing/intercepted-file-system.ts';
import { contentOf, freshDirectory, open, readRecords } from '../testing/json-fixture.ts';
import { create, expense, run } from '../testing/store-fixture.ts';
import { archiveJsonStore, checkArchive, inspectJsonStore, realFileSystem } from './index.ts';

const FILES = ['expenses.json', 'incomes.json'];
const ARCHIVER = join(import.meta.dirname, '../testing/archive-process.ts');

test('I6, I9: killed anywhere between packing and emptying, the store is whole, or empty with its archive', async () => {
  const collections = await loadCollections();
  const home = await freshDirectory();
  const directory = join(home, 'json');
  const store = await open(directory);
  await create(store);
  const second = await create(store);
  await run(store, { op: 'delete', collection: expense, id: second.id });
  await create(store, { notes: 'the third' });
  await store.phase.update({ phase: 'postgres-only', epoch: 5 });
  const whole = await contentOf(store);
  await store.close();
  const records = await readRecords(directory);

  const file = join(home, 'put-away.tar.gz');
  /** What a process that is killed right before an operation leaves. */
  const left: { readonly folder: string; readonly before: string }[] = [];
  const leave = async ({ kind, path }: FileOperation): Promise<void> => {
    if (kind === 'read' || kind === 'mkdir') return;
    const folder = join(home, `left-${left.length}`);
    await cp(directory, join(folder, 'json'), { recursive: true });
    left.push({ folder, before: `${kind} ${path}` });
  };
  const options = { directory, collections, actor: 'test', reason: 'test' };
  const report = await archiveJsonStore({
    ...{ ...options, file, fileSystem: interceptFileSystem(realFileSystem, leave) },
    mayArchive: async () => undefined,
  });
  await leave({ kind: 'fsync', path: 'the end' });
  expect(left.length).toBeGreaterThan(10);
  await checkArchive(file, collections);

  let emptied = 0;
  for (const { folder, before } of left) {
    const json = join(folder, 'json');
    const { phase } = await inspectJsonStore(json);
    const again = await open(json);
    const isArchived = again.phase.read().archived?.sha256 === report.sha256;
    expect(phase?.archived, before).toEqual(again.phase.read().archived);
    emptied += Number(isArchived);
    expect(again.recoveryReport, before).toMatchObject({ created: false, adopted: false });
    if (isArchived) {
      const { highWater } = whole as { highWater: unknown };
      expect(await contentOf(again), before).toEqual({
        ...{ expense: [], income: [], keys: [], highWater },
      });
    } else expect(await contentOf(again), before).toEqual(whole);
    expect(again.externalEdits(), before).toEqual([]);
    await again.close();
    if (isArchived) {
      expect(await readdir(json), before).toEqual(['.tandem']);
      continue;
    }
    expect(await readRecords(json), before).toEqual(records);
    // Begun anew, it is done; the archive of the first attempt stands in nobody's way.
    const second = join(folder, 'again.tar.gz');
    await archiveJsonStore({
      ...{ ...options, directory: json, file: second },
      mayArchive: async () => undefined,
    });
    for (const name of FILES) expect(await readdir(dirname(join(json, name)))).not.toContain(name);
  }
  // Nothing is emptied before the manifest says so, and everything afterwards.
  expect(emptied).toBeGreaterThan(1);
  expect(left.length - emptied).toBeGreaterThan(5);
});

test('what a run left that was killed while it packed goes with the next one: never another’s, never beside one that runs', async () => {
  const home = await freshDirectory();
  const directory = join(home, 'json');
  const store = await open(directory);
  await create(store);
  await store.phase.update({ phase: 'postgres-only', epoch: 5 });
  await store.close();
  const beside = join(home, 'beside');
  const file = join(beside, 'put-away.tar.gz');
  const others = ['put-away.tar.gz.check-aB3xY9', 'put-away.tar.gz.part'];
  await mkdir(join(beside, 'put-away.tar.gz.check-aB3xY9'), { recursive: true });
  await writeFile(`${file}.part`, 'somebody else’s');
  const archive = async (into: string, of = directory) => {
    const options = { directory: of, collections: await loadCollections(), file: into };
    const by = { actor: 'test', reason: 'test', mayArchive: async () => undefined };
    return archiveJsonStore({ ...options, ...by });
  };

  const child = spawn(process.execPath, [ARCHIVER, directory, file], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  expect(String(await once(child.stdout, 'data'))).toContain('reads back');
  const left = (await readdir(beside)).sort();
  expect(left).toHaveLength(others.length + 2);
  await expect(archive(join(home, 'refused.tar.gz'))).rejects.toMatchObject({ code: 'lock-held' });
  const copy = join(home, 'copy');
  await cp(directory, copy, { recursive: true });
  await archive(join(home, 'of-the-copy.tar.gz'), copy);
  expect((await readdir(beside)).sort()).toEqual(left);

  child.kill('SIGKILL');
  await once(child, 'exit');
  await archive(join(home, 'elsewhere.tar.gz'));
  expect((await readdir(beside)).sort()).toEqual(others);
  expect((await readdir(home)).sort()).toEqual([
    ...['beside', 'copy', 'elsewhere.tar.gz', 'json', 'of-the-copy.tar.gz'],
  ]);
  expect(await readdir(join(directory, '.tandem'))).not.toContain('archiving.json');
});

test('what a check left that was killed goes with the next check of the same archive: never that of one that runs', async () => {
  const collections = await loadCollections();
  const home = await freshDirectory();
  const directory = join(home, 'json');
  const store = await open(directory);
  await store.phase.update({ phase: 'postgres-only', epoch: 5 });
  await store.close();
  const file = join(home, 'put-away.tar.gz');
  const by = { actor: 'test', reason: 'test', mayArchive: async () => undefined };
  await archiveJsonStore({ directory, collections, file, ...by });

  const [killed, running, others] = ['aaaaaa', 'bbbbbb', 'cccccc'].map(
    (end) => `${file}.check-${end}`,
  );
  for (const folder of [killed, running, others])
    await mkdir(join(folder as string, '.tandem'), { recursive: true });
  await writeFile(join(killed as string, 'checking.lock'), '');
  const lock = await realFileSystem.lock(join(running as string, 'checking.lock'));
  onTestFinished(() => lock?.release());
  await checkArchive(file, collections);
  expect((await readdir(home)).sort()).toEqual([
    ...['json', 'put-away.tar.gz', 'put-away.tar.gz.check-bbbbbb', 'put-away.tar.gz.check-cccccc'],
  ]);
});
