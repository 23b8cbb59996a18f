import { mkdir, stat } from 'node:fs/promises';
import { dirname, resolve } from 'node:path';

/**
 * Makes a folder and those above it; no error when it is there. Node's own recursive `mkdir` never
 * returns below a folder that takes none, as `/proc`: it takes the ENOENT of the call for a parent that
 * is missing, and goes round for ever.
 * @param mode permission bits of what is made
 * @throws the file error of the first folder that can't be made, or is none
 */
export async function makeFolder(path: string, mode?: number): Promise<void> {
  const missing: string[] = [];
  for (let at = resolve(path); !(await isFolder(at)); at = dirname(at)) missing.push(at);
  for (const folder of missing.reverse()) await makeOne(folder, mode);
}

async function makeOne(folder: string, mode: number | undefined): Promise<void> {
  try {
    await mkdir(folder, mode === undefined ? {} : { mode });
  } catch (error) {
    // Another process may have been quicker.
    if (!hasCode(error, 'EEXIST') || !(await isFolder(folder))) throw error;
  }
}

async function isFolder(path: string): Promise<boolean> {
  try {
    if ((await stat(path)).isDirectory()) return true;
  } catch (error) {
    if (hasCode(error, 'ENOENT')) return false;
    throw error;
  }
  const facts = { code: 'ENOTDIR', syscall: 'mkdir', path };
  throw Object.assign(new Error(`ENOTDIR: not a directory, mkdir '${path}'`), facts);
}

const hasCode = (error: unknown, code: string): boolean =>
  (error as NodeJS.ErrnoException).code === code;
