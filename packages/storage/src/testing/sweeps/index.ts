export { corruptionSweep, ENDINGS } from './corruption-sweep.ts';
export { crashSweep } from './crash-sweep.ts';
export { faultSweep } from './fault-sweep.ts';
