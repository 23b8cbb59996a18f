export { type CrashSweep, crashSweep } from './crash-sweep.ts';
