import { partOf } from './connections.ts';
import type { Fault } from './fault.ts';

/** The next COMMIT of one process is lost, or its answer: what became of it is not known. */
export const commitCut: Fault = async (world, variant, hold) => {
  const { member, proxy } = partOf(world, variant);
  const delivered = variant.endsWith('delivered');
  const sprung = proxy
    .cutAt('COMMIT', { delivered })
    .then(() => world.timeline.note(`a COMMIT of ${member.name} was cut, delivered: ${delivered}`));
  await Promise.race([sprung, hold()]);
  proxy.disarm();
};
