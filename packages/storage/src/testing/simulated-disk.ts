//   file:       durable ──write──> pending edits (the cache has them) ──fsync──> durable
//   directory:  durable names ──create, rename, unlink──> pending names ──sync──> durable names
//   A crash takes every pending thing or leaves it, each by itself: sectors of 512 bytes, lengths, names.
import { dirname } from 'node:path';
import {
  EMPTY,
  type Inode,
  type NameEdit,
  SECTOR_BYTES,
  sectorEdits,
  sectorsOf,
} from './simulated-inode.ts';

/** What a crash may leave of one thing: ticks of its versions in order; 0 is the durable one. */
export type Component = readonly number[];

const error = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: ${path}`), { code, syscall: 'simulated' });

/** A disk in memory, with the cache of the system that uses it. All operations are immediate. */
export class SimulatedDisk {
  #names: Map<string, Inode>;
  #durableNames: Map<string, Inode>;
  #pendingNames: Map<string, NameEdit[]>;
  #tick: number;

  constructor(names: ReadonlyMap<string, Inode> = new Map(), tick = 1) {
    this.#names = new Map(names);
    this.#durableNames = new Map(names);
    this.#pendingNames = new Map();
    this.#tick = tick;
    if (!this.#names.has('/')) {
      const root = this.#inode(true, { mode: 0o755 });
      this.#names.set('/', root);
      this.#durableNames.set('/', root);
    }
  }

  #inode(
    isDirectory: boolean,
    { mode, owner }: { mode: number; owner?: { uid: number; gid: number } },
  ): Inode {
    const number = this.#tick++;
    const { uid, gid } = owner ?? { uid: 0, gid: 0 };
    const empty = { cached: EMPTY, durable: EMPTY, pending: [], changed: number };
    return { number, isDirectory, mode, uid, gid, ...empty };
  }

  /** A disk that can go another way from here. */
  clone(): SimulatedDisk {
    const copies = new Map<Inode, Inode>();
    const copyOf = (inode: Inode): Inode => {
      const copy = copies.get(inode) ?? { ...inode, pending: [...inode.pending] };
      copies.set(inode, copy);
      return copy;
    };
    const disk = new SimulatedDisk(new Map(), this.#tick);
    disk.#names = new Map([...this.#names].map(([name, inode]) => [name, copyOf(inode)]));
    disk.#durableNames = new Map(
      [...this.#durableNames].map(([name, inode]) => [name, copyOf(inode)]),
    );
    for (const [name, edits] of this.#pendingNames) {
      const copied = edits.map((edit) => ({
        ...edit,
        inode: edit.inode === undefined ? undefined : copyOf(edit.inode),
      }));
      disk.#pendingNames.set(name, copied);
    }
    return disk;
  }

  find(path: string): Inode | undefined {
    return this.#names.get(path);
  }

  /** @throws `ENOENT` */
  get(path: string): Inode {
    const inode = this.find(path);
    if (inode === undefined) throw error('ENOENT', path);
    return inode;
  }

  list(path: string): string[] {
    const start = path === '/' ? '/' : `${this.get(path) && path}/`;
    return [...this.#names.keys()]
      .filter((name) => name !== '/' && name.startsWith(start))
      .map((name) => name.slice(start.length))
      .filter((name) => !name.includes('/'))
      .sort();
  }

  /** Every file with what readers see of it. */
  files(): Map<string, Buffer> {
    return new Map(
      [...this.#names]
        .filter(([, { isDirectory }]) => !isDirectory)
        .map(([name, { cached }]) => [name, cached]),
    );
  }

  #setName(name: string, inode: Inode | undefined, needs?: NameEdit['needs']): number {
    const tick = this.#tick++;
    const edits = this.#pendingNames.get(name) ?? [];
    this.#pendingNames.set(name, edits);
    edits.push({ tick, inode, ...(needs === undefined ? {} : { needs }) });
    if (inode === undefined) this.#names.delete(name);
    else this.#names.set(name, inode);
    return tick;
  }

  /** Makes the file, or empties it. */
  create(
    path: string,
    options: { mode: number; owner?: { readonly uid: number; readonly gid: number } },
  ): Inode {
    const found = this.find(path);
    if (found !== undefined) {
      this.truncate(found, 0);
      return found;
    }
    if (!this.get(dirname(path)).isDirectory) throw error('ENOTDIR', path);
    const inode = this.#inode(false, options);
    this.#setName(path, inode);
    return inode;
  }

  mkdir(path: string, mode: number): void {
    if (this.find(path) !== undefined) return;
    this.mkdir(dirname(path), mode);
    this.#setName(path, this.#inode(true, { mode }));
  }

  rename(from: string, to: string): void {
    const inode = this.get(from);
    this.get(dirname(to));
    const tick = this.#setName(to, inode);
    inode.changed = tick;
    this.#setName(from, undefined, { name: to, tick });
  }

  unlink(path: string): void {
    this.get(path);
    this.#setName(path, undefined);
  }

  write(inode: Inode, bytes: Uint8Array, at: number): void {
    const before = inode.cached;
    const after = Buffer.alloc(Math.max(before.length, at + bytes.length));
    after.set(before);
    after.set(bytes, at);
    this.#edit(inode, Math.min(at, before.length), at + bytes.length, after);
  }

  truncate(inode: Inode, length: number): void {
    const before = inode.cached;
    const after = Buffer.alloc(length);
    after.set(before.subarray(0, length));
    const [from, to] = [Math.min(length, before.length), Math.max(length, before.length)];
    this.#edit(inode, from, to, after);
  }

  #edit(inode: Inode, from: number, to: number, after: Buffer): void {
    const tick = this.#tick++;
    inode.cached = after;
    inode.changed = tick;
    inode.pending.push({ tick, from, to, after });
  }

  /** Makes a file's pending edits durable; nothing that an earlier failed sync dropped. */
  sync(inode: Inode): void {
    if (inode.pending.length === 0) return;
    const content = Buffer.alloc(inode.cached.length);
    content.set(inode.durable.subarray(0, content.length));
    for (const edit of inode.pending) {
      const [first, end] = sectorsOf(edit);
      const [from, to] = [first * SECTOR_BYTES, end * SECTOR_BYTES];
      content.set(inode.cached.subarray(from, to), Math.min(from, content.length));
    }
    inode.durable = content;
    inode.pending = [];
  }

  /**
   * A sync that fails: the dirty pages count as clean although they never reached the disk.
   * @param evict whether readers see the disk's content from now on
   */
  failSync(inode: Inode, evict: boolean): void {
    inode.pending = [];
    if (evict) inode.cached = inode.durable;
  }

  syncDirectory(path: string): void {
    this.get(path);
    for (const [name, edits] of [...this.#pendingNames]) {
      if (dirname(name) !== path || name === '/') continue;
      // A file that went to another directory is only sure to be gone from here once it is sure to be
      // there: so it is not said to be, by this sync, either way.
      const away = edits.find(({ needs }) => needs !== undefined && dirname(needs.name) !== path);
      const settled = edits.filter(({ tick }) => away === undefined || tick < away.tick);
      this.#settleName(name, settled.at(-1)?.tick ?? 0);
    }
  }

  #settleName(name: string, tick: number): void {
    const edits = this.#pendingNames.get(name) ?? [];
    for (const { inode, needs } of edits.filter((edit) => edit.tick <= tick)) {
      if (needs !== undefined) this.#settleName(needs.name, needs.tick);
      if (inode === undefined) this.#durableNames.delete(name);
      else this.#durableNames.set(name, inode);
    }
    const rest = edits.filter((edit) => edit.tick > tick);
    if (rest.length === 0) this.#pendingNames.delete(name);
    else this.#pendingNames.set(name, rest);
  }

  #dirty(): Inode[] {
    const inodes = new Set([...this.#names.values(), ...this.#durableNames.values()]);
    for (const edits of this.#pendingNames.values()) {
      for (const { inode } of edits) if (inode !== undefined) inodes.add(inode);
    }
    return [...inodes].filter(({ pending }) => pending.length > 0);
  }

  /** What a crash now decides by itself, in a fixed order. */
  components(): Component[] {
    const components: Component[] = [];
    for (const edits of this.#pendingNames.values()) {
      components.push([0, ...edits.map(({ tick }) => tick)]);
    }
    for (const inode of this.#dirty()) {
      components.push([0, ...inode.pending.map(({ tick }) => tick)]);
      for (const edits of sectorEdits(inode).values()) {
        components.push([0, ...edits.map(({ tick }) => tick)]);
      }
    }
    return components;
  }

  /**
   * The disk after a crash and a restart.
   * @param choices for each of `components()`, the index of the version that is left
   */
  crash(choices: readonly number[]): SimulatedDisk {
    let next = 0;
    const take = (): number => choices[next++] ?? 0;
    const ticks = new Map<string, number>();
    for (const [name, edits] of this.#pendingNames) ticks.set(name, edits[take() - 1]?.tick ?? 0);
    this.#honourNeeds(ticks);
    const contents = new Map<Inode, Buffer>();
    for (const inode of this.#dirty()) {
      const { length } = inode.pending[take() - 1]?.after ?? inode.durable;
      const content = Buffer.alloc(length);
      content.set(inode.durable.subarray(0, length));
      for (const [sector, edits] of sectorEdits(inode)) {
        const from = sector * SECTOR_BYTES;
        const version = edits[take() - 1]?.after;
        if (version === undefined || from >= length) continue;
        const to = Math.min(from + SECTOR_BYTES, length);
        content.fill(0, from, to);
        content.set(version.subarray(from, to), from);
      }
      contents.set(inode, content);
    }
    return this.#restarted(ticks, contents);
  }

  #honourNeeds(ticks: Map<string, number>): void {
    for (let again = true; again; ) {
      again = false;
      for (const [name, edits] of this.#pendingNames) {
        const chosen = ticks.get(name) ?? 0;
        for (const { needs } of edits.filter(({ tick }) => tick <= chosen)) {
          // Not among the pending ones any more: it is durable already.
          if (needs === undefined || !this.#pendingNames.has(needs.name)) continue;
          if ((ticks.get(needs.name) ?? 0) >= needs.tick) continue;
          ticks.set(needs.name, needs.tick);
          again = true;
        }
      }
    }
  }

  #restarted(ticks: Map<string, number>, contents: Map<Inode, Buffer>): SimulatedDisk {
    const left = new Map(this.#durableNames);
    for (const [name, edits] of this.#pendingNames) {
      const chosen = edits.find(({ tick }) => tick === ticks.get(name));
      if (chosen === undefined) continue;
      if (chosen.inode === undefined) left.delete(name);
      else left.set(name, chosen.inode);
    }
    const names = new Map<string, Inode>();
    for (const [name, inode] of [...left].sort(([a], [b]) => (a < b ? -1 : 1))) {
      // A file goes with its directory. Names sort behind those of their directories.
      if (name !== '/' && !names.has(dirname(name))) continue;
      const content = contents.get(inode) ?? inode.durable;
      names.set(name, { ...inode, cached: content, durable: content, pending: [] });
    }
    return new SimulatedDisk(names, this.#tick);
  }
}
