import { partOf } from './connections.ts';
import type { Fault } from './fault.ts';

/** The clock of one process is wrong for a while, and stepped back. */
export const clockStep: Fault = async (world, variant, hold) => {
  const { member, clock } = partOf(world, variant);
  const seconds = Number(variant.split(' ')[1]);
  world.timeline.note(`the clock of ${member.name} is stepped by ${seconds} s`);
  clock.step(seconds);
  await hold();
  clock.step(0);
};
