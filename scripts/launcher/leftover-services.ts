import { readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { sendSignal } from '@tandem/embedded-postgres';
import type { Log } from '@tandem/storage/log';
import type { StartedService } from './data-folder-lock.ts';

const PROBE_INTERVAL_MS = 100;

/**
 * Waits for the services of a killed launcher. Their lifeline is closed, so they stop by themselves;
 * past the deadline they are ended by force.
 */
export async function endLeftoverServices(
  services: readonly StartedService[],
  timeoutMs: number,
  log: Log,
): Promise<void> {
  const deadline = Date.now() + timeoutMs;
  for (const service of services.filter(isRunning)) {
    log.warn(
      { service: service.name, servicePid: service.pid },
      `The ${service.name} of an earlier start still stops; waiting for it.`,
    );
    while (isRunning(service) && Date.now() < deadline) await sleep(PROBE_INTERVAL_MS);
    if (!isRunning(service)) continue;
    log.error({ service: service.name }, `It did not stop within ${timeoutMs} ms; it is killed.`);
    sendSignal(service.pid, 'SIGKILL');
    while (isRunning(service)) await sleep(PROBE_INTERVAL_MS);
  }
}

function isRunning({ pid, entry }: StartedService): boolean {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').split('\0').includes(entry);
  } catch {
    return false;
  }
}
