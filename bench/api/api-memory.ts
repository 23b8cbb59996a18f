import { fireGets, firePosts } from './cannon.ts';
import { memoryOf } from './process-memory.ts';
import { startJsonOnly } from './service.ts';

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
