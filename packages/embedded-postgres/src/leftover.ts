//   postmaster.pid ── names a live server of this folder? ── SIGINT, wait
//                  └─ processes of a killed server still end ── wait, then remove the file
import { existsSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { sendSignal } from './send-signal.ts';
import { until } from './until.ts';

const STOP_TIMEOUT_MS = 60_000;
/** A killed process is gone as soon as the kernel gets to it. */
const KILL_TIMEOUT_MS = 10_000;

/**
 * Ends a server that a killed parent left running on a folder, and clears what a killed server left
 * there. The caller makes sure that nobody else starts one meanwhile.
 *
 * PostgreSQL itself refuses to start while the process id in `postmaster.pid` exists, although it may
 * be another program's by now, or a dead process that nobody has reaped. What counts is whether a
 * process still works in the folder: every PostgreSQL process has it as its working directory.
 *
 * @param folder absolute path of the cluster
 * @throws {Error} when it does not end in time
 */
export async function endLeftoverServer(folder: string): Promise<void> {
  const file = join(folder, 'postmaster.pid');
  if (!existsSync(file)) return;
  const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
  if (workersIn(folder).includes(pid)) sendSignal(pid, 'SIGINT');
  await until(() => workersIn(folder).length === 0, STOP_TIMEOUT_MS, 'A leftover PostgreSQL');
  rmSync(file, { force: true });
}

/**
 * Ends a server that does not stop by itself, with all its processes (each is a session of its own,
 * so no signal to a group reaches them). Its next start recovers.
 * @param folder absolute path of the cluster
 * @throws {Error} when they do not end in time
 */
export async function killServer(folder: string): Promise<void> {
  for (const pid of workersIn(folder)) sendSignal(pid, 'SIGKILL');
  await until(() => workersIn(folder).length === 0, KILL_TIMEOUT_MS, 'A killed PostgreSQL');
}

/** Processes whose working directory is the folder. A process that nobody has reaped has none. */
function workersIn(folder: string): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name) && workingDirectory(name) === folder)
    .map(Number);
}

function workingDirectory(pid: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/cwd`);
  } catch {
    // It has ended, or is somebody else's: then it can't be a server of ours.
    return undefined;
  }
}
