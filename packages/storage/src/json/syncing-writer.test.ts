import { expect, test } from 'vitest';
import { SimulatedDisk } from '../testing/simulated-disk.ts';
import { SimulatedMachine } from '../testing/simulated-file-system.ts';
import { SyncingWriter } from './syncing-writer.ts';

const PIECE_BYTES = 1 << 20;

test('a large file is synced as it grows, so that the sync of a batch waits for little', async () => {
  const disk = new SimulatedDisk();
  const { fileSystem } = new SimulatedMachine(disk).process();
  const out = new SyncingWriter(await fileSystem.create('/large', { mode: 0o600 }));
  for (let piece = 0; piece < 9; piece++) await out.write(Buffer.alloc(PIECE_BYTES, 1));
  const { cached, durable } = disk.get('/large');
  expect(cached.length).toBe(9 * PIECE_BYTES);
  expect(durable.length).toBe(8 * PIECE_BYTES);
});
