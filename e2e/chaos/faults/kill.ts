import { sendSignal } from '@tandem/embedded-postgres';
import { partOf } from './connections.ts';
import type { Fault } from './fault.ts';

/** `kill -9`; whoever ended is started again by its supervisor, PostgreSQL after the hold. */
export const kill: Fault = async (world, variant, hold) => {
  world.timeline.note(`kill -9 ${variant}`);
  switch (variant) {
    case 'postmaster':
      return world.server.outage('kill', hold);
    case 'backend':
      return killBackend(world);
    default:
      partOf(world, variant).member.kill();
  }
};

/** One process of the server: it ends all others and recovers by itself. */
async function killBackend({ server, timeline }: Parameters<Fault>[0]): Promise<void> {
  const find = `SELECT pid FROM pg_stat_activity
    WHERE application_name LIKE 'tandem%' AND pid <> pg_backend_pid() ORDER BY random() LIMIT 1`;
  try {
    const [row] = await server.query(find);
    if (typeof row?.pid === 'number') sendSignal(row.pid, 'SIGKILL');
  } catch (error) {
    timeline.note(`no backend was killed: ${error}`);
  }
}
