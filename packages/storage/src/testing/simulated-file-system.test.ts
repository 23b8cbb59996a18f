import { expect, test } from 'vitest';
import type { FileSystem } from '../json/index.ts';
import { crashChoices } from './crash-choices.ts';
import { randomFrom } from './seeded-random.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { type Fault, SimulatedMachine } from './simulated-file-system.ts';

const STATES_MAX = 10_000;

/** Every content that a crash after the given work may leave of a file; `undefined`: no file. */
async function leftOf(
  path: string,
  work: (fileSystem: FileSystem) => Promise<void>,
): Promise<Set<string | undefined>> {
  const disk = new SimulatedDisk();
  disk.mkdir('/data', 0o700);
  disk.syncDirectory('/');
  await work(new SimulatedMachine(disk).process().fileSystem);
  const left = new Set<string | undefined>();
  for (const choices of crashChoices(disk.components(), STATES_MAX, randomFrom(1))) {
    left.add(disk.crash(choices).find(path)?.cached.toString('latin1'));
  }
  return left;
}

const steps = { sync: true, syncDirectory: true };

/** The tiny writer: a file is replaced by way of another, and something may be forgotten. */
async function replace(fileSystem: FileSystem, text: string, does = steps): Promise<void> {
  const file = await fileSystem.create('/data/new', { mode: 0o600 });
  await file.write(Buffer.from(text), 0);
  if (does.sync) await file.fsync();
  await fileSystem.rename('/data/new', '/data/file');
  if (does.syncDirectory) await fileSystem.syncDirectory('/data');
}

const long = (letter: string): string => letter.repeat(1_200);

test('a writer that syncs file and directory leaves exactly what it wrote', async () => {
  const left = await leftOf('/data/file', async (fileSystem) => {
    await replace(fileSystem, long('a'));
    await replace(fileSystem, long('b'));
  });
  expect(left).toEqual(new Set([long('b')]));
});

test('a missing fsync is found: the file may be torn at sectors, empty or zeros', async () => {
  const left = await leftOf('/data/file', (fileSystem) =>
    replace(fileSystem, long('a'), { sync: false, syncDirectory: true }),
  );
  expect(left).toContain('');
  expect(left).toContain('\0'.repeat(1_200));
  expect(left).toContain(`${'\0'.repeat(512)}${'a'.repeat(512)}${'\0'.repeat(176)}`);
  expect(left).toContain(long('a'));
});

test('a missing directory sync is found: the old file may be back, or none be there', async () => {
  const forgets = { sync: true, syncDirectory: false };
  const old = await leftOf('/data/file', async (fileSystem) => {
    await replace(fileSystem, 'old');
    await replace(fileSystem, 'new', forgets);
  });
  expect(old).toEqual(new Set(['old', 'new']));
  const none = await leftOf('/data/file', (fileSystem) => replace(fileSystem, 'new', forgets));
  expect(none).toEqual(new Set([undefined, 'new']));
});

test('a rename never loses the file under both names', async () => {
  const disk = new SimulatedDisk();
  disk.mkdir('/data', 0o700);
  disk.mkdir('/data/inner', 0o700);
  disk.syncDirectory('/');
  disk.syncDirectory('/data');
  const inode = disk.create('/data/inner/draft', { mode: 0o600 });
  disk.syncDirectory('/data/inner');
  disk.rename('/data/inner/draft', '/data/file');
  const seen = new Set<string>();
  for (const choices of crashChoices(disk.components(), STATES_MAX, randomFrom(1))) {
    const after = disk.crash(choices);
    const names = [after.find('/data/inner/draft'), after.find('/data/file')];
    seen.add(names.map((one) => (one?.number === inode.number ? 'x' : '-')).join(''));
  }
  expect(seen).toEqual(new Set(['x-', 'xx', '-x']));
});

test('unsynced writes may arrive in any order, synced ones stay', async () => {
  const left = await leftOf('/data/file', async (fileSystem) => {
    await replace(fileSystem, 'a'.repeat(512));
    const file = await fileSystem.openForUpdate('/data/file');
    await file.write(Buffer.from('b'.repeat(512)), 512);
    await file.write(Buffer.from('c'.repeat(512)), 1_024);
  });
  for (const text of left) expect(text?.startsWith('a'.repeat(512))).toBe(true);
  expect(left).toContain(`${'a'.repeat(512)}${'\0'.repeat(512)}${'c'.repeat(512)}`);
  expect(left).toContain('a'.repeat(512));
});

test('a file goes with its directory when the directory was not synced above', async () => {
  const left = await leftOf('/data/inner/file', async (fileSystem) => {
    await fileSystem.mkdir('/data/inner');
    const file = await fileSystem.create('/data/inner/file', { mode: 0o600 });
    await file.fsync();
    await fileSystem.syncDirectory('/data/inner');
  });
  expect(left).toEqual(new Set([undefined, '']));
});

test.each(['drop', 'evict'] as const)(
  'after a failed fsync (%s) a later one succeeds although the data is gone',
  async (effect) => {
    let fault: Fault | undefined;
    const disk = new SimulatedDisk();
    const { fileSystem } = new SimulatedMachine(disk, { fault: () => fault }).process();
    const file = await fileSystem.create('/file', { mode: 0o600 });
    await fileSystem.syncDirectory('/');
    await file.write(Buffer.from('lost'), 0);
    fault = { code: 'EIO', effect };
    await expect(file.fsync()).rejects.toMatchObject({ code: 'EIO' });
    fault = undefined;
    expect(await file.size()).toBe(effect === 'drop' ? 4 : 0);
    await file.fsync();
    expect(disk.components()).toEqual([]);
    expect(disk.crash([]).find('/file')?.cached.length).toBe(0);
  },
);

test('a killed process does nothing more, and its lock is free', async () => {
  const disk = new SimulatedDisk();
  const machine = new SimulatedMachine(disk);
  const [first, second] = [machine.process(), machine.process()];
  const file = await first.fileSystem.create('/file', { mode: 0o600 });
  expect(await first.fileSystem.lock('/lock')).toBeDefined();
  expect(await second.fileSystem.lock('/lock')).toBeUndefined();
  await file.write(Buffer.from('kept'), 0);
  const sync = file.fsync();
  first.kill();
  expect(await second.fileSystem.lock('/lock')).toBeDefined();
  await second.fileSystem.syncDirectory('/');
  expect(await Promise.race([sync, Promise.resolve('still under way')])).toBe('still under way');
  expect(disk.find('/file')?.cached.toString()).toBe('kept');
  expect(disk.crash(disk.components().map(() => 0)).find('/file')?.cached.length).toBe(0);
});
