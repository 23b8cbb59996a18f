import type { Change } from '../changes/index.ts';
import type { Batch } from './batch.ts';
import type { CommitLoop } from './commit-loop.ts';
import { type ForeignEdit, writeEdit } from './external-edit.ts';
import type { OpenContext } from './open-context.ts';

/**
 * Makes the differences of an open edit changes of this store, which must be primary.
 * @returns the edit as it is listed from now on: adopted, or open with the records in conflict
 */
export async function adoptEdit(
  context: OpenContext,
  loop: CommitLoop,
  edit: ForeignEdit,
): Promise<ForeignEdit> {
  const withIds = await loop.submit((batch) => stageIds(batch, edit));
  await writeEdit(context, withIds);
  const conflicting = await loop.submit((batch) => stageEdit(batch, withIds));
  const done = conflicting.length === 0;
  const adopted: ForeignEdit = {
    ...withIds,
    ...{ status: done ? 'adopted' : 'open', conflicting },
    // The kept file has it all; what is settled need not be compared again.
    records: done ? [] : withIds.records,
  };
  await writeEdit(context, adopted);
  const { collection, keptAt } = edit;
  context.log.warn({ collection, keptAt, conflicting }, 'Adopted an external edit');
  return adopted;
}

/**
 * Gives ids to the records an edit added without one. Durable with the batch, so that adopting the
 * edit again after a crash finds the same records.
 */
function stageIds(batch: Batch, edit: ForeignEdit): ForeignEdit {
  const known = edit.records.map(({ id }) => id ?? 0);
  const first =
    known.reduce((most, id) => Math.max(most, id), batch.highWater(edit.collection)) + 1;
  let next = first;
  const records = edit.records.map((record) => {
    if (record.id !== undefined || record.to === null) return record;
    const id = next++;
    return { ...record, id, to: record.to.replace(/"id":\d+\}$/, `"id":${id}}`) };
  });
  if (next > first) batch.raise({ [edit.collection]: next - 1 });
  return { ...edit, records };
}

/**
 * Makes an edit's differences changes of this store. A record that this store changed as well since
 * the checkpoint is left as it is: neither side wins by itself.
 * @returns ids of those records
 */
function stageEdit(batch: Batch, { collection, records }: ForeignEdit): number[] {
  const conflicting: number[] = [];
  const at = new Date(batch.now).toISOString();
  const { epoch } = batch.phase;
  for (const { id, from, to: record, fits } of records) {
    if (id === undefined) throw new Error('A record of the edit has no id yet.');
    const current = batch.current(collection, id);
    const now = current?.text ?? null;
    if (now === record) continue;
    if (now !== from) {
      conflicting.push(id);
      continue;
    }
    const base = current === undefined ? null : { epoch: current.epoch, version: current.version };
    const change: Change = {
      ...{ collection, id, epoch, version: (base?.version ?? 0) + 1, base },
      op: record === null ? 'delete' : from === null ? 'create' : 'update',
      ...{ record, at },
    };
    batch.change(change, 'primary', fits);
  }
  return conflicting;
}
