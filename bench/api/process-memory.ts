import { readFile, writeFile } from 'node:fs/promises';

const KILOBYTE = 1024;
/** What `/proc/<pid>/clear_refs` takes to begin counting the highest anew (proc(5)). */
const FORGET_HIGHEST = '5';

/** A figure of `/proc/<pid>/status`, in bytes. */
export async function memoryOf(pid: number, figure: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = new RegExp(`^${figure}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`There is no ${figure} of ${pid}.`);
  return Number(kilobytes) * KILOBYTE;
}

/** From now on `VmHWM` is the highest since now. */
export const forgetHighest = (pid: number): Promise<void> =>
  writeFile(`/proc/${pid}/clear_refs`, FORGET_HIGHEST);
