import { partOf } from './connections.ts';
import type { Fault } from './fault.ts';

/** A clean stop, and a start after the hold. */
export const restart: Fault = async (world, variant, hold) => {
  const { member } = partOf(world, variant);
  await member.exclusive(async () => {
    const status = await member.stop();
    world.timeline.note(`${member.name} was stopped, and ended with ${status}`);
    await hold();
    member.start();
  });
};
