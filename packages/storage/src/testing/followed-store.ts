// A store on a simulated disk, lived through by one process after the other, and a follower beside them:
//   acts drawn by a seed ──> an end ──> opened cold on a copy of the disk, and warm on the disk itself
import type { Collection } from '../collections/index.ts';
import { type JsonStore, openJsonStore, WarmFollower } from '../json/index.ts';
import { below, pickOf } from './seeded-random.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { SimulatedMachine, type SimulatedProcess } from './simulated-file-system.ts';
import { changeOf, create, expense, expenseText, income, run, setOf } from './store-fixture.ts';
import { editByHand, DIRECTORY as PLACE } from './sweeps/place.ts';

const NO_IDLE_MARK_MS = 2 ** 30;
/** Small, so that checkpoints also come by themselves. */
const CHECKPOINT_AFTER_BYTES = 6_000;
const JOURNAL_BYTES_MAX = 8_000;
const NOW = Date.parse('2026-01-02T00:00:00Z');
const HOUR_MS = 3_600_000;

export type Ending = 'closed' | 'handed over' | 'killed';

export class FollowedStore {
  readonly machine = new SimulatedMachine(new SimulatedDisk());
  readonly #collections: readonly Collection[];
  readonly #random: () => number;
  #process: SimulatedProcess = this.machine.process();
  #store: JsonStore | undefined;
  #follower: WarmFollower | undefined;
  #nowMs = NOW;
  #keys = 0;
  #backup: SimulatedDisk | undefined;
  #lostBatch = 0;

  constructor(collections: readonly Collection[], random: () => number) {
    this.#collections = collections;
    this.#random = random;
  }

  get store(): JsonStore {
    if (this.#store === undefined) throw new Error('No process has the store.');
    return this.#store;
  }

  follower(): WarmFollower {
    this.#follower ??= new WarmFollower({
      ...{ directory: PLACE, collections: this.#collections, now: () => this.#nowMs },
      fileSystem: this.machine.process().fileSystem,
    });
    return this.#follower;
  }

  /** @param on another machine's disk than its own, or a follower to take over with */
  open(on: { machine?: SimulatedMachine; follower?: WarmFollower } = {}): Promise<JsonStore> {
    const process = (on.machine ?? this.machine).process();
    if (on.machine === undefined) this.#process = process;
    return openJsonStore({
      ...{ directory: PLACE, collections: this.#collections, now: () => this.#nowMs },
      ...{ fileSystem: process.fileSystem, idleMarkMs: NO_IDLE_MARK_MS },
      ...{ checkpointAfterBytes: CHECKPOINT_AFTER_BYTES, journalBytesMax: JOURNAL_BYTES_MAX },
      follower: on.follower,
    });
  }

  async begin(): Promise<void> {
    this.#store = await this.open();
    await this.#store.phase.update({ phase: 'json-primary' });
  }

  /** One act of whoever is alive. */
  async act(): Promise<void> {
    const random = this.#random;
    const id = 1 + below(random, 40);
    const length = below(random, 300);
    const create1 = () => create(this.store, { notes: 'n'.repeat(length) });
    const { store } = this;
    const acts: readonly (readonly [number, () => Promise<unknown>])[] = [
      [8, create1],
      [3, () => Promise.all([create1(), create(store, {}, income), create1()])],
      [3, () => run(store, { op: 'update', collection: expense, id, set: setOf({ notes: 'u' }) })],
      [2, () => run(store, { op: 'bulk-delete', collection: expense, ids: [id, id + 1, id + 2] })],
      [2, () => this.#apply(1_000 + id)],
      [2, () => this.#writeUnderKey()],
      [1, () => store.raiseIdHighWater({ income: below(random, 200) })],
      [2, () => store.checkpoint()],
      [2, () => store.phase.update({ sealed: false })],
      [1, async () => store.outbox.relayed(store.outbox.head())],
      [8, () => this.follower().follow()],
      [3, () => Promise.all([create1(), this.follower().follow(), create1()])],
      [1, async () => this.#wait(below(random, 60) * HOUR_MS)],
      [1, async () => editByHand(this.machine.disk, () => {})],
      [2, () => this.#succeed(pickOf(random, ['closed', 'handed over', 'killed'] as const))],
    ];
    const total = acts.reduce((sum, [weight]) => sum + weight, 0);
    let left = random() * total;
    for (const [weight, one] of acts) {
      left -= weight;
      if (left < 0) return void (await one());
    }
  }

  #apply(id: number): Promise<unknown> {
    const change = changeOf(id, { epoch: 1, version: 1 }, null, expenseText(id, 'applied'));
    return this.store.apply([{ kind: 'change', change }]);
  }

  #writeUnderKey(): Promise<unknown> {
    const key = `key ${this.#keys++}`;
    const command = { op: 'delete', collection: expense, id: 7 } as const;
    return this.store.write({ command, key: { key, fingerprint: 'f' } });
  }

  #wait(ms: number): void {
    this.#nowMs += ms;
  }

  async #succeed(how: Ending): Promise<void> {
    await this.end(how);
    this.#store = await this.open();
  }

  /** The process that has the store ends, with a torn tail behind it now and then if it is killed. */
  async end(how: Ending): Promise<void> {
    const { store } = this;
    this.#lostBatch = store.outbox.position().batch;
    this.#store = undefined;
    if (how !== 'killed') return store.close({ checkpoint: how === 'closed' });
    this.#process.kill();
    if (this.#random() < 0.5) this.#tear();
  }

  /** What a write that was cut off leaves: the beginning of a line, or room without bytes. */
  #tear(): void {
    const names = this.machine.disk.list(`${PLACE}/.tandem`);
    const last = names.filter((name) => name.startsWith('journal-')).at(-1);
    const inode = this.machine.disk.get(`${PLACE}/.tandem/${last}`);
    const tail = this.#random() < 0.5 ? Buffer.from('00000123 0000') : Buffer.alloc(700);
    this.machine.disk.write(inode, tail, inode.cached.length);
  }

  /** Keeps the folder as it is now. */
  backUp(): void {
    this.#backup = this.machine.disk.clone();
  }

  /** Puts the folder back as it was then, in place or as new files, and lives on a little from there. */
  async putBack(): Promise<void> {
    const { disk } = this.machine;
    const before = (this.#backup ?? disk).files();
    const inPlace = this.#random() < 0.5;
    for (const path of disk.files().keys()) {
      if (!inPlace || !before.has(path)) disk.unlink(path);
    }
    for (const [path, bytes] of before) {
      disk.write(disk.create(path, { mode: 0o600 }), bytes, 0);
    }
    const lives = below(this.#random, 3);
    for (let life = 0; life < lives; life++) {
      const store = await this.open();
      // Also up to the very batch and outbox item that the follower had seen.
      const batch = this.#random() < 0.5 ? this.#lostBatch : 0;
      const more = below(this.#random, 12);
      for (let n = 0; n < more || store.outbox.position().batch < batch; n++) {
        await create(store, { notes: 'anew' });
      }
      if (this.#random() < 0.5) store.outbox.relayed(store.outbox.head());
      await store.close({ checkpoint: this.#random() < 0.5 });
    }
  }
}
