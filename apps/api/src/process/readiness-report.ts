import { primaryOf, secondaryOf } from '@tandem/storage/phase';
import type { RelayStatus } from '@tandem/storage/replication';
import type { Dependency, Readiness } from '../readiness.ts';
import type { ApiProcess } from './api-process.ts';

const UP: Dependency = { status: 'up' };
const UNUSED: Dependency = { status: 'unused' };

/** What `/readyz` says, from what the process saw last: asking costs nothing. */
export function readinessReport(api: ApiProcess): Readiness {
  const { standing } = api.primary;
  const desired = api.flags?.desired ?? 'json-only';
  const phase = {
    desired,
    effective: standing.serving ? standing.phase : desired,
    epoch: api.epoch,
    ...(api.waitingFor === null ? {} : { waitingFor: api.waitingFor }),
  };
  if (!standing.serving) {
    return {
      ready: false,
      status: 'unready',
      phase,
      dependencies: { primary: { status: 'down', detail: standing.sentence } },
    };
  }
  const dependencies = dependenciesOf(api, standing.phase);
  const primary = dependencies[primaryOf(standing.phase)];
  const ready = primary?.status !== 'down';
  const failing = Object.values(dependencies).some(
    ({ status }) => status === 'down' || status === 'degraded',
  );
  const relay = api.relay?.status();
  return {
    ready,
    status: ready ? (failing ? 'degraded' : 'ok') : 'unready',
    phase,
    dependencies,
    ...(relay === undefined ? {} : { backlog: relay.pending }),
  };
}

function dependenciesOf(
  api: ApiProcess,
  phase: Parameters<typeof primaryOf>[0],
): Record<string, Dependency> {
  const { state } = api.database;
  const database: Dependency = state.usable
    ? UP
    : { status: 'down', detail: `${state.why} (since ${state.since})` };
  const usesPostgres = primaryOf(phase) === 'postgres' || secondaryOf(phase) === 'postgres';
  const relay = api.relay?.status();
  return {
    json: api.json === undefined ? UNUSED : UP,
    postgres: usesPostgres ? database : UNUSED,
    relay: relay === undefined ? UNUSED : relayDependency(relay),
  };
}

function relayDependency({ state, downSince, lastError, pending }: RelayStatus): Dependency {
  if (state !== 'down') return UP;
  return {
    status: 'degraded',
    detail: `Since ${downSince} ${pending} changes wait in the journal: ${lastError}`,
  };
}
