import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writeLegacyExpenses } from '../records.ts';
import { OpenedStore } from './opened-store.ts';

/** Makes a store of this many expenses in a new directory, with a checkpoint of all of them. */
export async function makeStore(directory: string, records: number): Promise<string> {
  await mkdir(directory);
  if (records > 0) await writeLegacyExpenses(join(directory, 'expenses.json'), records);
  const store = await OpenedStore.open(directory);
  await store.close();
  return directory;
}
