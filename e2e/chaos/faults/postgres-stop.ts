import type { Fault } from './fault.ts';

/** `pg_ctl stop` in either mode, and a start after the hold. */
export const postgresStop: Fault = ({ server }, variant, hold) =>
  server.outage(variant === 'fast' ? 'fast' : 'immediate', hold);
