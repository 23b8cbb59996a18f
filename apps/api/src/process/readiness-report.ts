import { waiting } from '@tandem/storage/counted';
import type { JsonStore } from '@tandem/storage/json';
import { brakeSentence, type Phase, primaryOf, secondaryOf } from '@tandem/storage/phase';
import type { RelayStatus } from '@tandem/storage/replication';
import type { Dependency, Readiness } from '../readiness.ts';
import type { ApiProcess } from './api-process.ts';
import { diskTroubleOf } from './disk-trouble.ts';

const UP: Dependency = { status: 'up' };
const UNUSED: Dependency = { status: 'unused' };

/** What `/readyz` says, from what the process saw last: asking costs nothing. */
export function readinessReport(api: ApiProcess): Readiness {
  const { keeper, requests, watch } = api;
  const { desired } = api.flags;
  const { standing } = requests;
  const effective = keeper.effective?.phase ?? desired;
  const json = keeper.session?.json;
  const brake = json === undefined ? undefined : brakeSentence(json.phase.read());
  const phase = {
    ...{ desired, effective },
    epoch: keeper.effective?.epoch ?? 0,
    ...(keeper.waitingFor.sentence === null ? {} : { waitingFor: keeper.waitingFor.sentence }),
    ...(brake === undefined ? {} : { brake }),
  };
  const absence = standing.store === undefined ? standing.sentence : keeper.standsBy;
  if (absence !== undefined) {
    const primary: Dependency = { status: 'down', detail: absence };
    return { ready: false, status: 'unready', phase, dependencies: { primary } };
  }
  const dependencies = dependenciesOf(api, effective);
  const ready = dependencies[primaryOf(effective)]?.status !== 'down';
  const failing =
    brake !== undefined ||
    !requests.takesWrites ||
    Object.values(dependencies).some(({ status }) => status === 'down' || status === 'degraded');
  const relay = keeper.session?.relay?.status();
  return {
    ready,
    status: ready ? (failing ? 'degraded' : 'ok') : 'unready',
    phase,
    dependencies,
    ...(relay === undefined ? {} : { backlog: relay.pending }),
    ...(watch.current === undefined ? {} : { catchUp: watch.current }),
  };
}

function dependenciesOf(
  { database, keeper }: ApiProcess,
  phase: Phase,
): Record<string, Dependency> {
  const { state } = database;
  const postgres: Dependency = state.usable
    ? UP
    : { status: 'down', detail: `${state.why} (since ${state.since})` };
  const usesPostgres = primaryOf(phase) === 'postgres' || secondaryOf(phase) === 'postgres';
  const relay = keeper.session?.relay?.status();
  return {
    json: keeper.session === undefined ? UNUSED : jsonDependency(keeper.session.json),
    postgres: usesPostgres ? postgres : UNUSED,
    relay: relay === undefined ? UNUSED : relayDependency(relay),
  };
}

/** A disk that takes no writes still serves reads: it is no reason to send requests elsewhere. */
function jsonDependency(json: JsonStore): Dependency {
  const trouble = diskTroubleOf(json);
  return trouble === null ? UP : { status: 'degraded', detail: trouble };
}

function relayDependency({ state, downSince, lastError, pending }: RelayStatus): Dependency {
  if (state === 'connecting') {
    return {
      status: 'degraded',
      detail: `It has not met PostgreSQL yet, ${waiting(pending)} in the journal.`,
    };
  }
  if (state !== 'down') return UP;
  return {
    status: 'degraded',
    detail: `Since ${downSince} ${waiting(pending)} in the journal: ${lastError}`,
  };
}
