import type { World } from '../world.ts';
import type { Fault } from './fault.ts';

const LOCK_TIMEOUT = `SET lock_timeout = '2s'`;
/** Rows that are there already are not looked at. */
const ADD = `ALTER TABLE expenses ADD CONSTRAINT chaos_poison CHECK (notes NOT LIKE 'poison%') NOT VALID`;
const DROP = 'ALTER TABLE expenses DROP CONSTRAINT IF EXISTS chaos_poison';

/** PostgreSQL refuses some records for a while; what became dead letters is redriven after it. */
export const poison: Fault = async (world, _variant, hold) => {
  await world.sql(`${LOCK_TIMEOUT}; ${DROP}; ${ADD}`);
  world.timeline.note('poisoned');
  await hold();
  await unpoison(world);
};

export async function unpoison(world: World): Promise<void> {
  await world.sql(`${LOCK_TIMEOUT}; ${DROP}`);
  world.timeline.note('not poisoned any more');
  await redrive(world);
}

const DEAD = `SELECT count(*)::int AS dead FROM pgboss.job WHERE name LIKE '%-dead' AND state < 'completed'`;

/** Puts every dead letter back, if there is one. */
export async function redrive(world: World): Promise<void> {
  const [row] = await world.sql(DEAD);
  if (row?.dead === 0) return;
  await world.tandem('dead-letters', 'redrive', '--all', '--reason', 'chaos');
}
