// A disk that is soon full: a tmpfs in a mount namespace of its own, which ends with the test.
//
//   unshare: mount, then sleep ── holds the namespace, so that the disk outlives whoever is killed on it
//   nsenter: a process on the disk ── seen from here through /proc/<holder>/root
import { spawnSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { environmentWith, startProcess, temporaryFolder } from './tandem-process.ts';

const MOUNT = 'mount -t tmpfs -o size="$1" tmpfs "$2" && echo mounted && exec sleep "$3"';
/** A disk of a test that was killed ends with this. */
const LIFE_SECONDS = 600;
/** With a user namespace an ordinary user, and root in a container, may mount as well. */
const NAMESPACES = ['--user', '--map-root-user', '--mount'];
/** What the filler is written in; the last piece fits as far as there is room. */
const PIECE_BYTES = 64 * 1_024;

export interface SmallDisk {
  /** Where it is for the processes on it. */
  readonly folder: string;
  /** What a command is preceded by to run there; paths in it must be absolute. */
  readonly enter: readonly string[];
  /** Where a path on it is seen from here. */
  seen(path: string): string;
  /** Of the whole disk, in bytes. */
  used(): { readonly usedBytes: number; readonly sizeBytes: number };
  /** Takes all room that is left. */
  fill(): void;
  /** Gives that back. */
  makeRoom(): void;
}

/** Whether there can be one here. */
export const canHaveSmallDisk = (): boolean =>
  spawnSync('unshare', [...NAMESPACES, 'mount', '-t', 'tmpfs', 'tmpfs', '/tmp']).status === 0 &&
  spawnSync('nsenter', ['--version']).status === 0;

/** @param size as tmpfs wants it, e.g. `4m` */
export async function startSmallDisk(size: string, lifeSeconds = LIFE_SECONDS): Promise<SmallDisk> {
  const folder = temporaryFolder();
  const holder = startProcess(
    ['unshare', ...NAMESPACES, 'sh', '-c', MOUNT, 'sh', size, folder, String(lifeSeconds)],
    environmentWith({}),
  );
  await holder.prints('mounted');
  const seen = (path: string) => join(`/proc/${holder.pid}/root`, path);
  const filler = seen(join(folder, 'filler'));
  const target = ['--target', String(holder.pid), '--user', '--mount', '--preserve-credentials'];
  return {
    folder,
    seen,
    enter: ['nsenter', ...target],
    used() {
      const { bsize, blocks, bfree } = statfsSync(seen(folder));
      return { usedBytes: (blocks - bfree) * bsize, sizeBytes: blocks * bsize };
    },
    fill() {
      const file = openSync(filler, 'w');
      const piece = Buffer.alloc(PIECE_BYTES);
      try {
        for (;;) writeSync(file, piece);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error;
      } finally {
        closeSync(file);
      }
    },
    makeRoom: () => rmSync(filler, { force: true }),
  };
}
