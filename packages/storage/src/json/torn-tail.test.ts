import { expect, test } from 'vitest';
import { WatchedDisk } from '../testing/simulated-store.ts';
import { allTexts, create } from '../testing/store-fixture.ts';
import { LineWriter } from './line-codec.ts';
import { damageOfTail } from './torn-tail.ts';

const AFTER = { offset: 700, checksum: 3 };

function batch(): Buffer {
  const lines = new LineWriter(AFTER.checksum);
  lines.add(JSON.stringify({ note: 'x'.repeat(1_500) }));
  lines.add(JSON.stringify({ kind: 'commit' }));
  return lines.take();
}

test('I12: a batch cut short anywhere is torn', () => {
  const whole = batch();
  for (let length = 0; length < whole.length; length++) {
    expect(damageOfTail(whole.subarray(0, length), AFTER), `${length} bytes`).toBeUndefined();
  }
});

test('I12: a batch of which sectors never arrived is torn', () => {
  const whole = batch();
  // The file's sectors begin at byte 1024: byte 324 of the batch.
  for (const [from, to] of [
    [0, 324],
    [324, 836],
    [836, 1_348],
    [1_348, whole.length],
  ] as const) {
    expect(damageOfTail(Buffer.from(whole).fill(0, from, to), AFTER)).toBeUndefined();
  }
  expect(damageOfTail(Buffer.alloc(5_000), AFTER)).toBeUndefined();
});

test('I12: a batch that arrived whole and has any flipped bit is damaged', () => {
  const whole = batch();
  for (let bit = 0; bit < whole.length * 8; bit++) {
    const flipped = Buffer.from(whole);
    flipped[bit >> 3] = (flipped[bit >> 3] ?? 0) ^ (1 << (bit & 7));
    expect(damageOfTail(flipped, AFTER), `bit ${bit}`).toBeDefined();
  }
});

test('I12: a lost sector is damage when a later batch arrived whole', async () => {
  const watched = new WatchedDisk();
  const store = await watched.open();
  await create(store, { notes: 'y'.repeat(2_000) });
  await create(store, { notes: 'later' });
  const path = '/data/.tandem/journal-00000001.log';
  const whole = watched.disk.get(path).cached;
  const alone = whole.subarray(0, whole.lastIndexOf('{"kind":"change"') - 18);
  for (const [bytes, isRefused] of [
    [whole, true],
    [alone, false],
  ] as const) {
    const disk = new WatchedDisk(watched.disk.crash([]));
    const inode = disk.disk.get(path);
    inode.cached = Buffer.from(bytes).fill(0, 1_024, 1_536);
    inode.durable = inode.cached;
    const opened = disk.open();
    if (!isRefused) expect(await allTexts(await opened)).toEqual([]);
    else await expect(opened).rejects.toMatchObject({ code: 'refused-to-open' });
  }
});
