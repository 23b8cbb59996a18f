import { CatchUpWatch } from '@tandem/storage/consistency';
import { inspectJsonStore } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import { noObserver } from '@tandem/storage/observer';
import { openDualStores, until } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { JsonFollower } from './json-follower.ts';

test('a worker that stands by does not take a JSON store that has become the primary before it was told', async () => {
  const dual = await openDualStores('postgres-primary');
  onTestFinished(() => dual.drop());
  const { json, store, queues, collections, directory } = dual;
  const follower = new JsonFollower({
    ...{ directory, queues, collections, log: silentLog, observer: noObserver },
    postgres: store,
    adoptExternalEdits: false,
    verifySchedule: { changedMs: null, fullMs: null },
    processes: { live: async () => [] },
    desiredBy: () => 'postgres-primary',
    watch: new CatchUpWatch(silentLog),
  });
  follower.follow(await store.phase.read(), 'postgres-primary');
  await until('it stands by', () => follower.status().isHeldElsewhere === true);
  await json.phase.update({ phase: 'json-primary', epoch: 3 });
  const move = { actor: 'test', reason: 'test', evidence: {} };
  expect(await store.phase.advance(2, { phase: 'json-primary', epoch: 3 }, move)).toBe(true);
  const { lineage } = json.phase.read();
  await json.close({ checkpoint: false });
  await until('it has looked again', () => follower.status().state === 'off');
  expect((await inspectJsonStore(directory)).phase?.lineage).toEqual(lineage);
  await follower.stop({ drainTimeoutMs: 0 });
});
