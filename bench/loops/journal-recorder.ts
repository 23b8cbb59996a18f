import { basename } from 'node:path';
import { type FileSystem, realFileSystem } from '@tandem/storage/json';

/** A file system that remembers the size of every batch the journal wrote. */
export function recordJournal(): {
  readonly fileSystem: FileSystem;
  /** Bytes of each batch since the last call. */
  take(): number[];
} {
  let batches: number[] = [];
  const create: FileSystem['create'] = async (path, options) => {
    const file = await realFileSystem.create(path, options);
    if (!basename(path).startsWith('journal-')) return file;
    return {
      ...file,
      write: (bytes, position) => {
        // Zeros are room that is reserved, not a batch.
        if (bytes[0] !== 0) batches.push(bytes.length);
        return file.write(bytes, position);
      },
    };
  };
  return {
    fileSystem: { ...realFileSystem, create },
    take() {
      const taken = batches;
      batches = [];
      return taken;
    },
  };
}
