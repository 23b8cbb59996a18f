import { hostname } from 'node:os';
import type { ApiView } from '@tandem/telemetry/snapshot';
import type { ApiProcess } from '../process/api-process.ts';
import { readinessReport } from '../process/readiness-report.ts';

const startedAt = new Date().toISOString();

/** What this process knows by itself; asking costs nothing. */
export function apiView(api: ApiProcess): ApiView {
  const { keeper, requests, flags, watch } = api;
  const { status, phase, dependencies } = readinessReport(api);
  return {
    ...{ process: `api ${process.pid} on ${hostname()}`, startedAt, status },
    ...{ effective: phase.effective, desired: phase.desired, epoch: phase.epoch },
    flags: flags.flags,
    waitingFor: watch.waitingFor ?? keeper.waitingFor.sentence,
    brake: phase.brake ?? null,
    dependencies,
    switchState: keeper.session?.machine.state ?? null,
    requestsWaiting: requests.waiting,
    catchUp: watch.current ?? null,
  };
}
