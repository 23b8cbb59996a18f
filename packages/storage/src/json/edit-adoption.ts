//   ids for records without one ──> entry ──> changes of the primary ──> entry: adopted, or what is left
//   Each step is durable before the next: adopting again after a crash finds the same records.
import {
  type EditAdopter,
  type LeftDifferences,
  planDifference,
  type RecordDifference,
} from '../changes/index.ts';
import type { Batch } from './batch.ts';
import type { CommitLoop } from './commit-loop.ts';
import { type ForeignEdit, writeEdit } from './external-edit.ts';
import type { OpenContext } from './open-context.ts';
import { assertPrimary } from './stage.ts';

/**
 * Makes the differences of an open edit changes of the primary.
 * @returns the edit as it stands now: adopted, or open with the records that were left
 */
export async function adoptEdit(
  context: OpenContext,
  primary: EditAdopter,
  edit: ForeignEdit,
): Promise<ForeignEdit> {
  const withIds = await giveIds(primary, edit);
  if (withIds !== edit) await writeEdit(context, withIds);
  const differences = withIds.records.map(({ id, from, to }): RecordDifference => {
    if (id === undefined) throw new Error('A record of the edit has no id yet.');
    return { id, from, to };
  });
  const { conflicting, unfit } = await primary.adoptDifferences(edit.collection, differences);
  const done = conflicting.length + unfit.length === 0;
  // The kept file has it all; what is settled need not be compared again.
  const records = done ? [] : withIds.records;
  return { ...withIds, status: done ? 'adopted' : 'open', conflicting, unfit, records };
}

async function giveIds(primary: EditAdopter, edit: ForeignEdit): Promise<ForeignEdit> {
  const nameless = edit.records.filter(({ id }) => id === undefined).length;
  if (nameless === 0) return edit;
  const highest = edit.records.reduce((most, { id }) => Math.max(most, id ?? 0), 0);
  const ids = [...(await primary.takeIds(edit.collection, nameless, highest))];
  const records = edit.records.map((record) => {
    if (record.id !== undefined || record.to === null) return record;
    const id = ids.shift();
    if (id === undefined) throw new Error('Fewer ids were taken than asked for.');
    return { ...record, id, to: record.to.replace(/"id":\d+\}$/, `"id":${id}}`) };
  });
  return { ...edit, records };
}

/** The JSON store as the primary that adopts. */
export const jsonAdopter = (loop: CommitLoop): EditAdopter => ({
  takeIds: (collection, count, above) =>
    loop.submit((batch) => {
      assertPrimary(batch.phase);
      const first = Math.max(above, batch.highWater(collection)) + 1;
      batch.raise({ [collection]: first + count - 1 });
      return Array.from({ length: count }, (_, index) => first + index);
    }),
  adoptDifferences: (collection, differences) =>
    loop.submit((batch) => stageDifferences(batch, collection, differences)),
});

function stageDifferences(
  batch: Batch,
  collection: string,
  differences: readonly RecordDifference[],
): LeftDifferences {
  assertPrimary(batch.phase);
  const conflicting: number[] = [];
  const step = { epoch: batch.phase.epoch, at: batch.at };
  for (const difference of differences) {
    const { id } = difference;
    const planned = planDifference(collection, difference, batch.current(collection, id), step);
    if (planned === 'conflict') conflicting.push(id);
    if (typeof planned === 'string') continue;
    const fits = batch.memory.table(collection).fits(id, planned.record);
    batch.change(planned, 'primary', fits);
  }
  return { conflicting, unfit: [] };
}
