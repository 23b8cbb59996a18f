import { readFile } from 'node:fs/promises';
import { fireGets, firePosts } from './cannon.ts';
import { startJsonOnly } from './service.ts';

const KILOBYTE = 1024;

/** A figure of `/proc/<pid>/status`, in bytes. */
async function memoryOf(pid: number, figure: 'VmRSS' | 'VmHWM'): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8');
  const kilobytes = new RegExp(`^${figure}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1];
  if (kilobytes === undefined) throw new Error(`There is no ${figure} of ${pid}.`);
  return Number(kilobytes) * KILOBYTE;
}

/** What the api process needs with this store: when it serves, and its highest under load. */
export async function apiMemory(
  directory: string,
  seconds: number,
): Promise<{ openedBytes: number; highestBytes: number }> {
  const api = await startJsonOnly(directory);
  try {
    const openedBytes = await memoryOf(api.pid, 'VmRSS');
    await firePosts(api.origin, seconds);
    await fireGets(api.origin, seconds);
    return { openedBytes, highestBytes: await memoryOf(api.pid, 'VmHWM') };
  } finally {
    await api.stop();
  }
}
