import type { Fault } from './fault.ts';

/** No byte fits on the disk of the JSON store any more. */
export const fullDisk: Fault = async ({ disk, timeline }, _variant, hold) => {
  if (disk === undefined) return;
  disk.fill();
  timeline.note('the disk is full');
  await hold();
  disk.makeRoom();
  timeline.note('the disk has room');
};
