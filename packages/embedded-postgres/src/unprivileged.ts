import { spawnSync } from 'node:child_process';

/** A user id that is not 0: PostgreSQL refuses to run as root, whatever the id is otherwise. */
const MAPPED_USER = 1000;

/**
 * The command that runs a PostgreSQL program as this user. PostgreSQL refuses to run as root; a user
 * namespace in which root appears as an ordinary user satisfies it, and still may enter a folder that
 * only root may. `unshare` becomes the program (no fork), so its process id is the program's.
 *
 * @throws {Error} when this is root and user namespaces are not permitted
 */
export function unprivileged(program: string, args: readonly string[]): [string, string[]] {
  if (process.getuid?.() !== 0) return [program, [...args]];
  const unshare = ['--user', `--map-user=${MAPPED_USER}`];
  if (spawnSync('unshare', [...unshare, 'true']).status !== 0) {
    throw new Error(
      'PostgreSQL does not run as root, and user namespaces are not permitted here; start Tandem as an ordinary user or set DATABASE_URL.',
    );
  }
  return ['unshare', [...unshare, program, ...args]];
}
