import { setTimeout as sleep } from 'node:timers/promises';
import { partOf } from './connections.ts';
import type { Fault } from './fault.ts';

/** What reconnects gets some COMMITs through before the next one is cut. */
const BETWEEN_MS = 400;

/** A COMMIT of one process is lost now and then, or its answer: what became of it is not known. */
export const commitCut: Fault = async (world, variant, hold) => {
  const { member, proxy } = partOf(world, variant);
  const delivered = variant.endsWith('delivered');
  let isOver = false;
  const over = hold().then(() => {
    isOver = true;
  });
  let cuts = 0;
  while (!isOver) {
    const sprung = proxy.cutAt('COMMIT', { delivered }).then(() => {
      cuts += 1;
    });
    await Promise.race([sprung, over]);
    await Promise.race([sleep(BETWEEN_MS), over]);
  }
  proxy.disarm();
  world.timeline.note(`${cuts} COMMITs of ${member.name} were cut, delivered: ${delivered}`);
};
