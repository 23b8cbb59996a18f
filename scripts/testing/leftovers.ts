import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Environment variable that every process of a test run inherits; its value names the run. */
export const RUN_VARIABLE = 'TANDEM_TEST_RUN';

const GRACE_MS = 5_000;
const PROBE_INTERVAL_MS = 50;

interface Leftover {
  readonly pid: number;
  readonly command: string;
}

/** Processes that inherited `RUN_VARIABLE=run`, wherever they were reparented to. */
function processesOf(run: string): Leftover[] {
  const found: Leftover[] = [];
  for (const name of readdirSync('/proc')) {
    const pid = Number(name);
    if (!Number.isInteger(pid) || pid === process.pid) continue;
    try {
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
      if (!environment.includes(`${RUN_VARIABLE}=${run}`)) continue;
      const command = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ').trim();
      // A zombie has no command line any more: nothing of it is left to end.
      if (command !== '') found.push({ pid, command });
    } catch {
      // Gone meanwhile, or another user's, which is none of ours.
    }
  }
  return found;
}

/**
 * Ends what a run left behind.
 * @returns the processes that did not end by themselves within a short grace
 */
export async function endLeftovers(run: string): Promise<readonly string[]> {
  const deadline = Date.now() + GRACE_MS;
  let left = processesOf(run);
  while (left.length > 0 && Date.now() < deadline) {
    await sleep(PROBE_INTERVAL_MS);
    left = processesOf(run);
  }
  for (const { pid } of left) {
    try {
      process.kill(pid, 'SIGKILL');
    } catch {
      // It ended between the look and the signal.
    }
  }
  return left.map(({ pid, command }) => `${command} (pid ${pid})`);
}
