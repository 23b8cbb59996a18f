import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';

const CONTENT = Buffer.alloc(16 << 20, 'x');

const ZEROS = Buffer.alloc(16 << 20);

/**
 * Seconds it takes to append and sync batches of these sizes, doing nothing else, off the main
 * thread, as a server that answers requests meanwhile must; in room reserved beforehand, if asked. The file stays: giving its blocks back to the
 * disk would slow down whatever is measured next.
 */
export async function bareLoop(
  path: string,
  batches: readonly number[],
  { reserved = false }: { readonly reserved?: boolean } = {},
): Promise<number> {
  const file = await open(path, 'w');
  try {
    if (reserved) await reserve(file, batches);
    await file.sync();
    const start = performance.now();
    let position = 0;
    for (const bytes of batches) {
      await file.write(CONTENT, 0, bytes, position);
      await file.datasync();
      position += bytes;
    }
    return (performance.now() - start) / 1000;
  } finally {
    await file.close();
  }
}

/** Makes the file as long as it will be, which is not measured. */
async function reserve(file: FileHandle, batches: readonly number[]): Promise<void> {
  let left = batches.reduce((sum, bytes) => sum + bytes, 0);
  while (left > 0) left -= (await file.write(ZEROS, 0, Math.min(left, ZEROS.length))).bytesWritten;
}

/** The same with the whole process waiting for the disk: the least that the system calls cost. */
export async function blockingLoop(path: string, batches: readonly number[]): Promise<number> {
  const file = openSync(path, 'w');
  try {
    fdatasyncSync(file);
    const start = performance.now();
    let position = 0;
    for (const bytes of batches) {
      writeSync(file, CONTENT, 0, bytes, position);
      fdatasyncSync(file);
      position += bytes;
    }
    return (performance.now() - start) / 1000;
  } finally {
    closeSync(file);
  }
}
