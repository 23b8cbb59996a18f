import { expect, test } from 'vitest';
import { TandemError } from '../errors.ts';
import {
  type FileOperation,
  fileError,
  interceptFileSystem,
} from '../testing/intercepted-file-system.ts';
import { contentOf, freshDirectory, open } from '../testing/json-fixture.ts';
import { create, expense, run, setOf, valuesOf } from '../testing/store-fixture.ts';
import { CommitLoop } from './commit-loop.ts';
import { type JsonStore, type Pace, realFileSystem } from './index.ts';

const OVERLAPPING: Pace = { overlaps: () => true, halves: () => false, synced: () => {} };

/** A store whose first journal sync after `arm` is held; what its disk and its callers see is noted. */
async function storeWithHeldSync(): Promise<{
  readonly store: JsonStore;
  readonly seen: string[];
  /** Lets the held sync end, or fail; resolves once it is held. */
  readonly held: Promise<(error?: Error) => void>;
  arm(): void;
  fail: (operation: FileOperation) => Error | undefined;
  before: (operation: FileOperation) => Promise<void> | undefined;
}> {
  const seen: string[] = [];
  const held = Promise.withResolvers<(error?: Error) => void>();
  let armed = false;
  const place: {
    fail: (operation: FileOperation) => Error | undefined;
    before: (operation: FileOperation) => Promise<void> | undefined;
  } = { fail: () => undefined, before: () => undefined };
  const fileSystem = interceptFileSystem(realFileSystem, async (operation) => {
    if (!operation.path.includes('journal-')) return;
    seen.push(operation.kind);
    if (operation.kind === 'fdatasync' && armed) {
      armed = false;
      const sync = Promise.withResolvers<void>();
      held.resolve((error) => (error === undefined ? sync.resolve() : sync.reject(error)));
      await sync.promise;
    }
    await place.before(operation);
    const error = place.fail(operation);
    if (error !== undefined) throw error;
  });
  const store = await open(await freshDirectory(), { fileSystem, pace: OVERLAPPING });
  const arm = (): void => {
    armed = true;
    seen.length = 0;
  };
  return Object.assign(place, { store, seen, held: held.promise, arm });
}

test('I1: the next batch is written only when the last is durable, and before that one is answered', async () => {
  const { store, seen, held, arm } = await storeWithHeldSync();
  arm();
  const first = create(store).then((outcome) => {
    seen.push('first answered');
    return outcome;
  });
  const release = await held;
  // They rest on what is not published yet: its id, its version, its key.
  const key = { key: 'k', fingerprint: 'f' };
  const command = { op: 'create', collection: expense, values: valuesOf() } as const;
  const second = create(store);
  const changed = run(store, {
    op: 'update',
    collection: expense,
    id: 1,
    set: setOf({ notes: 'x' }),
  });
  const keyed = [store.write({ command, key }), store.write({ command, key })];
  await new Promise((resume) => setImmediate(resume));
  expect(seen).toEqual(['write', 'fdatasync']);
  release();
  expect((await first).id).toBe(1);
  expect(seen.slice(0, 5)).toEqual(['write', 'fdatasync', 'write', 'fdatasync', 'first answered']);
  expect((await second).id).toBe(2);
  expect(await changed).toMatchObject({ kind: 'updated', id: 1, version: 2 });
  const [once, again] = await Promise.all(keyed);
  expect(once).toMatchObject({ kind: 'created', id: 3 });
  expect(again).toEqual(once);
});

test('I11: what was staged on a batch whose sync failed is refused, and leaves nothing behind', async () => {
  const { store, held, arm, seen } = await storeWithHeldSync();
  await create(store);
  arm();
  const unknown = create(store, { notes: 'unknown' });
  const release = await held;
  const staged = create(store, { notes: 'staged on it' });
  await new Promise((resume) => setImmediate(resume));
  release(fileError('EIO'));
  await expect(unknown).rejects.toMatchObject({ code: 'outcome-unknown' });
  await expect(staged).rejects.toMatchObject({ code: 'storage-failed', status: 503 });
  expect(seen.filter((kind) => kind === 'write')).toHaveLength(1);
  await expect
    .poll(() =>
      create(store, { notes: 'after' }).then(
        () => 'serves',
        () => '',
      ),
    )
    .toBe('serves');
  expect(JSON.stringify(await contentOf(store))).not.toContain('staged on it');
});

test('I1, I11: a disk that fills up under the next batch takes nothing from the last', async () => {
  const place = await storeWithHeldSync();
  const { store, held, arm } = place;
  arm();
  const first = create(store);
  const release = await held;
  const second = create(store);
  await new Promise((resume) => setImmediate(resume));
  place.fail = ({ kind }) => (kind === 'write' ? fileError('ENOSPC') : undefined);
  release();
  expect((await first).id).toBe(1);
  await expect(second).rejects.toMatchObject({ code: 'storage-full', status: 507 });
  place.fail = () => undefined;
  expect((await create(store)).id).toBe(2);
});

test('I2, I6: while the next batch is written the outbox is not ahead of what reads show', async () => {
  const place = await storeWithHeldSync();
  const { store, held, arm } = place;
  await store.phase.update({ phase: 'json-primary', epoch: 2 });
  await create(store);
  arm();
  const first = create(store);
  const release = await held;
  const second = create(store);
  await new Promise((resume) => setImmediate(resume));
  const writing = Promise.withResolvers<void>();
  const goOn = Promise.withResolvers<void>();
  place.before = ({ kind }) => {
    if (kind !== 'write') return undefined;
    writing.resolve();
    return goOn.promise;
  };
  release();
  // The first is durable and not answered: its item must be neither counted nor missed.
  await writing.promise;
  expect(await contentOf(store)).toMatchObject({ expense: { length: 1 } });
  const head = store.outbox.head();
  const read = await store.outbox.read(0, 10);
  goOn.resolve();
  expect(head).toBe(1);
  expect(read.map(({ seq }) => seq)).toEqual([1]);
  await Promise.all([first, second]);
  expect(store.outbox.head()).toBe(3);
  expect((await store.outbox.read(head, 10)).map(({ seq }) => seq)).toEqual([2, 3]);
});

test('writes beyond what may wait are refused as overload; what runs alone never is', async () => {
  const none = (): never => {
    throw new Error('No batch is made in this test.');
  };
  const host = { openBatch: none, write: none, sync: none, publish: none, onBroken: none };
  const loop = new CommitLoop(host, OVERLAPPING);
  const goOn = Promise.withResolvers<void>();
  const begun = Promise.withResolvers<void>();
  const alone = loop.exclusive(() => {
    begun.resolve();
    return goOn.promise;
  });
  await begun.promise;
  const waiting = Array.from({ length: 65_536 }, () => loop.submit(() => 1).catch(String));
  await expect(loop.submit(() => 1)).rejects.toMatchObject({ code: 'overloaded' });
  const checkpoint = loop.exclusive(async () => 'done').catch(String);
  loop.stop(new TandemError('storage-failed', 'The test ends.'));
  goOn.resolve();
  await alone;
  expect(new Set(await Promise.all(waiting))).toEqual(new Set([expect.stringContaining('ends')]));
  expect(await checkpoint).toContain('ends');
});
