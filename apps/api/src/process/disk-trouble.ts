import type { JsonStore } from '@tandem/storage/json';

/** What the disk of the JSON store does not take, since when, and what goes on; `null`: it takes all. */
export function diskTroubleOf(json: Pick<JsonStore, 'diskTrouble'>): string | null {
  const { writes, checkpoints } = json.diskTrouble();
  if (writes !== undefined) {
    const rest =
      'Writes are refused (503, or 507 when it is full), reads go on; it is tried again by itself.';
    return `Since ${writes.since}: ${writes.sentence} ${rest}`;
  }
  if (checkpoints === undefined) return null;
  const rest = 'The journal has what the files lack; it is tried again by itself.';
  return `Since ${checkpoints.since}: ${checkpoints.sentence} ${rest}`;
}
