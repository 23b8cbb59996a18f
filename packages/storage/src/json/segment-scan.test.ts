import { expect, test } from 'vitest';
import { SimulatedDisk } from '../testing/simulated-disk.ts';
import { SimulatedMachine } from '../testing/simulated-file-system.ts';
import { LineWriter } from './line-codec.ts';
import { scanBatches } from './segment-scan.ts';

const PATH = '/journal';
const START = { offset: 0, checksum: 0, batch: 4, seq: 7 };

/** Scans lines that are intact as lines; @returns how many items each batch had. */
async function scan(...payloads: object[]): Promise<number[]> {
  const lines = new LineWriter(0);
  for (const payload of payloads) lines.add(JSON.stringify(payload));
  const disk = new SimulatedDisk();
  disk.write(disk.create(PATH, { mode: 0o600 }), lines.take(), 0);
  const file = await new SimulatedMachine(disk).process().fileSystem.openForReading(PATH);
  const batches: number[] = [];
  await scanBatches(file, PATH, START, (items) => batches.push(items.length));
  return batches;
}

const key = (batch: number, seq: number) => ({
  ...{ kind: 'key', batch, seq, key: `k${seq}`, fingerprint: 'f', outcome: '{}' },
  at: '2025-12-07T10:00:00.000Z',
});
const commit = (batch: number, count: number) => ({ kind: 'commit', batch, count, durable: 4 });

const damage = (reason: RegExp) => ({
  code: 'refused-to-open',
  message: expect.stringMatching(reason),
  detail: { file: PATH, offset: expect.any(Number) },
});

test('whole batches are visited in order, one without its commit line is not', async () => {
  expect(await scan(key(5, 8), key(5, 9), commit(5, 2), key(6, 10), commit(6, 1))).toEqual([2, 1]);
  expect(await scan(key(5, 8), commit(5, 1), key(6, 9))).toEqual([1]);
});

test('I12: a commit line that counts other lines than there are is damage', async () => {
  await expect(scan(key(5, 8), commit(5, 2))).rejects.toMatchObject(damage(/lacks lines/));
});

test('I12: a batch that does not follow the one before is damage', async () => {
  await expect(scan(key(6, 8), commit(6, 1))).rejects.toMatchObject(damage(/batch 5/));
});

test('I2: an outbox item that does not follow the one before is damage', async () => {
  await expect(scan(key(5, 9), commit(5, 1))).rejects.toMatchObject(damage(/item 8/));
});
