import { setImmediate as nextTurn } from 'node:timers/promises';
import type { CreateOptions, FileLock, FileSystem, OpenFile } from '../json/index.ts';
import type { FileOperation } from './intercepted-file-system.ts';
import type { SimulatedDisk } from './simulated-disk.ts';
import type { Inode } from './simulated-inode.ts';

/** Any call of the seam; those of `FileOperation` and the ones that only look. */
export interface SimulatedOperation {
  readonly kind: FileOperation['kind'] | 'open' | 'readdir' | 'stat' | 'lock';
  readonly path: string;
}

/** How a call goes wrong. */
export interface Fault {
  readonly code: 'EIO' | 'ENOSPC' | 'EMFILE';
  /**
   * `before`: nothing happened; `after`: it happened all the same; `short`: a write that takes half
   * and says so; `drop`, `evict`: a sync after which the dirty pages count as clean, and readers see
   * what was written, or what the disk has.
   */
  readonly effect: 'before' | 'after' | 'short' | 'drop' | 'evict';
}

export interface SimulationHooks {
  /** Asked before each call. */
  readonly fault?: (operation: SimulatedOperation) => Fault | undefined;
  /** Told after each call that changed something, or failed to. */
  readonly changed?: (operation: SimulatedOperation) => void;
}

const failure = (code: string, path: string): Error =>
  Object.assign(new Error(`${code}: injected, ${path}`), { code, syscall: 'injected' });

const WATCHES_NOTHING = (): void => {};

/** A machine with one simulated disk, and processes that work on it. */
export class SimulatedMachine {
  readonly disk: SimulatedDisk;
  readonly #hooks: SimulationHooks;
  readonly #locks = new Map<string, SimulatedProcess>();

  constructor(disk: SimulatedDisk, hooks: SimulationHooks = {}) {
    this.disk = disk;
    this.#hooks = hooks;
  }

  process(): SimulatedProcess {
    return new SimulatedProcess(this.disk, this.#hooks, this.#locks);
  }
}

/** One process: after `kill` its calls never return and its locks are free; the cache stays. */
export class SimulatedProcess {
  readonly fileSystem: FileSystem;
  readonly #disk: SimulatedDisk;
  readonly #hooks: SimulationHooks;
  readonly #locks: Map<string, SimulatedProcess>;
  #killed = false;

  constructor(disk: SimulatedDisk, hooks: SimulationHooks, locks: Map<string, SimulatedProcess>) {
    this.#disk = disk;
    this.#hooks = hooks;
    this.#locks = locks;
    this.fileSystem = this.#fileSystem();
  }

  kill(): void {
    this.#killed = true;
    for (const [path, holder] of this.#locks) if (holder === this) this.#locks.delete(path);
  }

  async #alive(): Promise<void> {
    if (this.#killed) await new Promise<never>(() => {});
  }

  /** A call that only looks. */
  async #look<T>(operation: SimulatedOperation, run: () => T): Promise<T> {
    await this.#alive();
    const fault = this.#hooks.fault?.(operation);
    if (fault !== undefined) throw failure(fault.code, operation.path);
    return run();
  }

  /** A call that changes something. */
  async #change<T>(operation: SimulatedOperation, run: () => T): Promise<T> {
    await this.#alive();
    const fault = this.#hooks.fault?.(operation);
    try {
      if (fault !== undefined && fault.effect !== 'after') {
        throw failure(fault.code, operation.path);
      }
      const result = run();
      if (fault !== undefined) throw failure(fault.code, operation.path);
      return result;
    } finally {
      this.#hooks.changed?.(operation);
    }
  }

  async #write(inode: Inode, path: string, bytes: Uint8Array, at: number): Promise<number> {
    await this.#alive();
    const operation = { kind: 'write', path } as const;
    const fault = this.#hooks.fault?.(operation);
    const written = fault?.effect === 'short' ? bytes.subarray(0, (bytes.length + 1) >> 1) : bytes;
    if (fault?.effect !== 'before') this.#disk.write(inode, written, at);
    this.#hooks.changed?.(operation);
    if (fault === undefined || fault.effect === 'short') {
      return written.length;
    }
    throw failure(fault.code, path);
  }

  /** Takes its time, so that others get a turn while a disk works. */
  async #sync(kind: 'fsync' | 'fdatasync', inode: Inode, path: string): Promise<void> {
    await nextTurn();
    await this.#alive();
    const operation = { kind, path } as const;
    const fault = this.#hooks.fault?.(operation);
    if (fault === undefined || fault.effect === 'after') this.#disk.sync(inode);
    else this.#disk.failSync(inode, fault.effect === 'evict');
    this.#hooks.changed?.(operation);
    if (fault !== undefined) throw failure(fault.code, path);
  }

  #openFile(path: string, inode: Inode): OpenFile {
    return {
      read: (into, position) =>
        this.#look({ kind: 'read', path }, () => {
          const found = inode.cached.subarray(position, position + into.length);
          into.set(found);
          return found.length;
        }),
      write: (bytes, position) => this.#write(inode, path, bytes, position),
      fdatasync: () => this.#sync('fdatasync', inode, path),
      fsync: () => this.#sync('fsync', inode, path),
      truncate: (length) =>
        this.#change({ kind: 'truncate', path }, () => this.#disk.truncate(inode, length)),
      size: () => this.#look({ kind: 'stat', path }, () => inode.cached.length),
      close: () => this.#alive(),
    };
  }

  #fileSystem(): FileSystem {
    const disk = this.#disk;
    const open = (path: string): Promise<OpenFile> =>
      this.#look({ kind: 'open', path }, () => this.#openFile(path, disk.get(path)));
    return {
      openForReading: open,
      openForUpdate: open,
      create: (path: string, options: CreateOptions) =>
        this.#change({ kind: 'create', path }, () =>
          this.#openFile(path, disk.create(path, options)),
        ),
      rename: (from, to) => this.#change({ kind: 'rename', path: to }, () => disk.rename(from, to)),
      unlink: (path) => this.#change({ kind: 'unlink', path }, () => disk.unlink(path)),
      readdir: (path) => this.#look({ kind: 'readdir', path }, () => disk.list(path)),
      mkdir: (path, mode = 0o777) =>
        this.#change({ kind: 'mkdir', path }, () => disk.mkdir(path, mode)),
      syncDirectory: async (path) => {
        await nextTurn();
        await this.#change({ kind: 'sync-directory', path }, () => disk.syncDirectory(path));
      },
      stat: (path) =>
        this.#look({ kind: 'stat', path }, () => {
          const inode = disk.find(path);
          if (inode === undefined) return undefined;
          const { mode, uid, gid, cached, number, changed } = inode;
          return { mode, uid, gid, size: cached.length, identity: `${number}-${changed}` };
        }),
      isLink: async () => false,
      typeOf: async () => 0,
      lock: (path) => this.#look({ kind: 'lock', path }, () => this.#lock(path)),
      isLocked: async (path) => this.#locks.has(path),
      watch: () => WATCHES_NOTHING,
    };
  }

  #lock(path: string): FileLock | undefined {
    const inode = this.#disk.find(path) ?? this.#disk.create(path, { mode: 0o600 });
    if (this.#locks.has(path)) return undefined;
    this.#locks.set(path, this);
    return {
      describe: async (text) => {
        await this.#alive();
        this.#disk.truncate(inode, 0);
        this.#disk.write(inode, Buffer.from(text), 0);
      },
      release: async () => {
        await this.#alive();
        if (this.#locks.get(path) === this) this.#locks.delete(path);
      },
    };
  }
}
