import type { Fault } from './fault.ts';

/** `tandem checkpoint`, while everything goes on. */
export const checkpoint: Fault = async (world) => {
  await world.tandem('checkpoint');
};
