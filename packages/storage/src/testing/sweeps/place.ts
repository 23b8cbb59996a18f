import type { SimulatedDisk } from '../simulated-disk.ts';
import type { Workload } from './workload.ts';

/** Where the swept store lies on its simulated disk. */
export const DIRECTORY = '/data/json';

/** Lays the files that were there before; they are durable. Without any, not even the folder is. */
export function prepareDisk(disk: SimulatedDisk, { legacy }: Workload): void {
  if (legacy === undefined) return;
  disk.mkdir(DIRECTORY, 0o755);
  for (const [file, text] of Object.entries(legacy)) {
    const inode = disk.create(`${DIRECTORY}/${file}`, { mode: 0o640 });
    disk.write(inode, Buffer.from(text), 0);
    disk.sync(inode);
  }
  for (const path of [DIRECTORY, '/data', '/']) disk.syncDirectory(path);
}

/**
 * Edits `expenses.json` as an editor does that saves safely.
 * @param told hears of the new text before the file is replaced
 */
export function editByHand(disk: SimulatedDisk, told: (text: string) => void): void {
  const path = `${DIRECTORY}/expenses.json`;
  const found = disk.find(path)?.cached.toString('utf8') ?? '[]';
  const text = `${JSON.stringify([...JSON.parse(found), { by: 'hand', id: 77_777 }])}\n`;
  const inode = disk.create(`${DIRECTORY}/edited`, { mode: 0o640 });
  disk.write(inode, Buffer.from(text), 0);
  disk.sync(inode);
  told(text);
  disk.rename(`${DIRECTORY}/edited`, path);
  disk.syncDirectory(DIRECTORY);
}
