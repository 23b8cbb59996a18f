import type { World } from '../world.ts';
import { partOf } from './connections.ts';
import type { Fault } from './fault.ts';

/** SIGSTOP, and SIGCONT after the hold. */
export const suspend: Fault = async (world, variant, hold) => {
  world.timeline.note(`suspend ${variant}`);
  if (variant === 'postmaster') await suspendPostmaster(world, hold);
  else {
    const { member } = partOf(world, variant);
    member.suspend();
    await hold();
    member.resume();
  }
  world.timeline.note(`resume ${variant}`);
};

/** Connections go on; nobody gets a new one. */
const suspendPostmaster = ({ server }: World, hold: () => Promise<void>): Promise<void> =>
  server.exclusive(async () => {
    process.kill(server.postmaster, 'SIGSTOP');
    await hold();
    process.kill(server.postmaster, 'SIGCONT');
  });
