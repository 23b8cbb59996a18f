import type { FileSystem, OpenFile } from '../json/index.ts';

/** A file operation about to happen. Only those that change something are told apart. */
export interface FileOperation {
  readonly kind:
    | 'create'
    | 'write'
    | 'fdatasync'
    | 'fsync'
    | 'truncate'
    | 'rename'
    | 'unlink'
    | 'mkdir'
    | 'sync-directory'
    | 'read';
  readonly path: string;
  /** What a write writes. */
  readonly bytes?: Uint8Array;
}

/**
 * A file system that calls a hook before each operation; what the hook throws, the operation throws.
 */
export function interceptFileSystem(
  real: FileSystem,
  before: (operation: FileOperation) => void | Promise<void>,
): FileSystem {
  const file = (path: string, open: OpenFile): OpenFile => {
    const first = async <T>(
      kind: FileOperation['kind'],
      run: () => Promise<T>,
      bytes?: Uint8Array,
    ): Promise<T> => {
      await before({ kind, path, ...(bytes === undefined ? {} : { bytes }) });
      return run();
    };
    return {
      read: (into, position) => first('read', () => open.read(into, position)),
      write: (bytes, position) => first('write', () => open.write(bytes, position), bytes),
      fdatasync: () => first('fdatasync', () => open.fdatasync()),
      fsync: () => first('fsync', () => open.fsync()),
      truncate: (length) => first('truncate', () => open.truncate(length)),
      size: () => open.size(),
      close: () => open.close(),
    };
  };
  return {
    ...real,
    openForReading: async (path) => file(path, await real.openForReading(path)),
    openForUpdate: async (path) => file(path, await real.openForUpdate(path)),
    create: async (path, options) => {
      await before({ kind: 'create', path });
      return file(path, await real.create(path, options));
    },
    rename: async (from, to) => {
      await before({ kind: 'rename', path: to });
      await real.rename(from, to);
    },
    unlink: async (path) => {
      await before({ kind: 'unlink', path });
      await real.unlink(path);
    },
    mkdir: async (path, mode) => {
      await before({ kind: 'mkdir', path });
      await real.mkdir(path, mode);
    },
    syncDirectory: async (path) => {
      await before({ kind: 'sync-directory', path });
      await real.syncDirectory(path);
    },
  };
}

/** A file error as Node throws it. */
export const fileError = (code: 'ENOSPC' | 'EIO' | 'EDQUOT'): Error =>
  Object.assign(new Error(`${code}: injected`), { code, syscall: 'injected' });
