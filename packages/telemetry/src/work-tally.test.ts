import type { Item } from '@tandem/storage/changes';
import { expect, test } from 'vitest';
import { WorkTally } from './work-tally.ts';

const item = (at: string): Item => ({
  kind: 'change',
  change: {
    ...{ collection: 'expense', id: 1, epoch: 1, version: 1, base: null, op: 'create' },
    ...{ record: '{}', at },
  },
});

/** Goes the same way beside its change, and is none. */
const KEY: Item = {
  kind: 'key',
  key: { key: 'k', fingerprint: 'f', outcome: '{}', at: '2025-12-07T10:00:00.000Z' },
};

test('what was written, applied and failed is counted, with the lag of what arrived lately', () => {
  const tally = new WorkTally();
  const { observer } = tally;
  const endedMs = performance.now();
  const span = { startedMs: endedMs - 5, endedMs };
  const changed = item(new Date(performance.timeOrigin + endedMs - 1_500).toISOString());
  observer.committed({ ...span, store: 'json', items: 5, written: 3, bytes: 10, traces: [] });
  // What the queue brought is applied, and not written once more.
  observer.committed({ ...span, store: 'json', items: 2, written: 0, bytes: 10, traces: [] });
  observer.applied({
    ...{ ...span, direction: 'postgres' },
    jobs: [
      { item: changed, end: 'applied' },
      { item: undefined, end: 'superseded' },
      { item: KEY, end: 'applied' },
      { item: changed, end: 'failed' },
      { item: changed, end: 'hopeless' },
    ],
  });
  observer.failed({ direction: 'postgres', cause: 'rejected', isDeadLetter: false });
  observer.shadowRead({ collection: 'expense', op: 'get', end: 'mismatch', seconds: {} });
  const { lagMs, ...counts } = tally.now;
  expect(counts).toEqual({
    ...{ written: 3, applied: 2, failed: 1 },
    shadowReads: { equal: 0, lag: 0, mismatch: 1, dropped: 0, failed: 0 },
  });
  expect(lagMs).toBeGreaterThanOrEqual(1_498);
  expect(lagMs).toBeLessThanOrEqual(1_502);
});
