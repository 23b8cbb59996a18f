import type { World } from '../world.ts';

/**
 * Does one thing to the system, and undoes it: when it resolves, nothing of it stands any more.
 * @param variant one of its kind's in `fault-kinds.ts`
 * @param hold resolves when it has lasted long enough
 */
export type Fault = (world: World, variant: string, hold: () => Promise<void>) => Promise<void>;
