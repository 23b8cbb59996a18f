import { loadCollections } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { sentenceOf } from '@tandem/storage/errors';
import { inspectJsonStore, openJsonSnapshot } from '@tandem/storage/json';
import {
  brakeSentence,
  type DoctorPlan,
  type JsonPhaseState,
  nameOf,
  type Phase,
  type PostgresPhaseState,
  planOf,
} from '@tandem/storage/phase';
import {
  createPool,
  describeUnseenRows,
  postgresPhase,
  schemaIsCurrent,
} from '@tandem/storage/postgres';
import { databaseOf } from './database-url.ts';
import { lookAtMeeting } from './doctor-meeting.ts';
import { inspect } from './inspect.ts';
import type { Status } from './status.ts';

/** What `tandem doctor` found. */
export interface Diagnosis extends DoctorPlan {
  readonly desired: Phase;
  readonly effective: Phase | null;
  /** What state this is, in sentences. */
  readonly findings: readonly string[];
  /** Who must be stopped before `--apply`; `null` when nobody is in the way. */
  readonly stopFirst: string | null;
  /** Why PostgreSQL can't be used; `null` when it can. */
  readonly postgresProblem: string | null;
}

interface JsonSide {
  readonly kind: 'store' | 'legacy' | 'empty';
  readonly state: JsonPhaseState;
  readonly isBlank: boolean;
  readonly openEdits: number;
  readonly batch: number;
}

interface PostgresSide {
  readonly state: PostgresPhaseState | null;
  readonly needsMigration: boolean;
  /** Rows that no comparison would see, as sentences. */
  readonly unseen?: readonly string[];
}

/** The state that a store begins with. */
const NEW: JsonPhaseState = {
  ...{ pairId: 'a new one', epoch: 1, phase: 'json-only', sealed: false },
  ...{ committing: null, catchUpSince: null, lastKnownFlags: null },
};

/** Looks at the data directory and the database; either may be missing. Changes nothing. */
export async function diagnose(configuration: Configuration): Promise<Diagnosis> {
  const status = await inspect(configuration);
  const { desired, effective } = status;
  const postgres = await lookAtPostgres(configuration);
  const postgresProblem =
    postgres.state === null ? (status.problems[0] ?? "PostgreSQL can't be asked.") : null;
  const shared = { desired, effective, postgresProblem, stopFirst: holderOf(status) };
  let json: JsonSide;
  try {
    json = await lookAtJson(configuration.jsonDir);
  } catch (error) {
    const blocked = `The JSON store can't be read: ${sentenceOf(error)}`;
    return {
      ...shared,
      steps: [],
      blocked,
      findings: findingsOf(status, undefined, postgres),
    };
  }
  const meeting = await lookAtMeeting(configuration, json, postgres);
  const plan = planOf({
    desired,
    jsonKind: json.kind,
    json: json.state,
    jsonIsBlank: json.isBlank,
    postgres: postgres.state,
    postgresProblem,
    needsMigration: postgres.needsMigration,
    ...meeting,
  });
  return { ...shared, ...plan, findings: findingsOf(status, json, postgres) };
}

async function lookAtJson(directory: string): Promise<JsonSide> {
  const { kind, phase: state, openEdits, batch } = await inspectJsonStore(directory);
  const seen = { kind, openEdits, batch };
  if (state === undefined) return { ...seen, state: NEW, isBlank: kind === 'empty' };
  if (state.epoch > NEW.epoch) return { ...seen, state, isBlank: false };
  const snapshot = await openJsonSnapshot({ directory, collections: await loadCollections() });
  try {
    const marks = Object.values(await snapshot.idHighWater());
    return { ...seen, state, isBlank: marks.every((mark) => mark === 0) };
  } finally {
    await snapshot.close();
  }
}

/** The row's own state; what keeps it from being asked stands in the status already. */
async function lookAtPostgres(configuration: Configuration): Promise<PostgresSide> {
  const database = databaseOf(configuration);
  if (database === undefined) return { state: null, needsMigration: false };
  const pool = createPool(database.url, { applicationName: 'tandem doctor', max: 1 });
  try {
    if (!(await schemaIsCurrent(pool))) return { state: null, needsMigration: true };
    const state = await postgresPhase(pool, () => new Date()).read();
    const unseen = await describeUnseenRows(pool, await loadCollections());
    return { state, needsMigration: false, unseen };
  } catch {
    return { state: null, needsMigration: false };
  } finally {
    await pool.end();
  }
}

function holderOf({ json }: Status): string | null {
  if (json.holder === null) return null;
  const { processName, pid } = json.holder;
  return `The JSON store is open in ${processName} (pid ${pid}): stop it first, or let it take these steps itself.`;
}

const number = (count: number, one: string, many = `${one}s`): string =>
  `${count.toLocaleString('en')} ${count === 1 ? one : many}`;

function findingsOf(
  status: Status,
  json: JsonSide | undefined,
  { state: postgres, unseen = [] }: PostgresSide,
): string[] {
  const { desired, effective, backlog, deadLetters, processes } = status;
  const found: (string | undefined)[] = [
    effective === null
      ? `Nothing has run here yet; the flags ask for ${desired}.`
      : effective === desired
        ? `The phase is ${effective}, as the flags ask.`
        : `The phase is ${effective}; the flags ask for ${desired}.`,
    json && jsonSentence(status.json.directory, json),
    postgres === null ? undefined : postgresSentence(postgres),
    json && brakeSentence(json.state),
    status.json.holder === null ? 'Nobody has the JSON store open.' : undefined,
    ...(processes ?? []).map(
      (one) =>
        `${nameOf(one)} runs and believes ${one.effective ?? 'no phase yet'} (epoch ${one.epoch ?? 'unknown'}), desired ${one.desired}${one.waitingFor === null ? '' : `; it waits: ${one.waitingFor}`}.`,
    ),
    backlog === null ? undefined : `${number(backlog, 'change')} on the way to the secondary.`,
    deadLetters ? `${number(deadLetters, 'dead letter')} to redrive or discard.` : undefined,
    json?.openEdits
      ? `${number(json.openEdits, 'foreign edit')} of the JSON files to adopt or reject.`
      : undefined,
    ...unseen,
    ...status.problems,
  ];
  return found.filter((sentence) => sentence !== undefined);
}

function jsonSentence(directory: string, { kind, state }: JsonSide): string {
  if (kind === 'legacy') return `${directory} holds JSON files that no store has adopted yet.`;
  if (kind === 'empty') return `${directory} holds no JSON store yet.`;
  const { phase, epoch, sealed, committing, catchUpSince, pairId, archived } = state;
  const marks = [
    sealed ? 'sealed for a switch' : undefined,
    archived ? `empty since it was archived at ${archived.at} into ${archived.file}` : undefined,
    committing === null
      ? undefined
      : `a commit to ${committing.phase} at epoch ${committing.epoch} stands open`,
    catchUpSince === null ? undefined : `PostgreSQL is to be brought up since ${catchUpSince}`,
  ].filter((mark) => mark !== undefined);
  return `The JSON store ${pairId} in ${directory} is in ${phase}, epoch ${epoch}${marks.map((mark) => `, ${mark}`).join('')}.`;
}

function postgresSentence({ pairId, phase, epoch, sealed, catchUpSince }: PostgresPhaseState) {
  if (pairId === null) return 'The database never met a JSON store.';
  const marks = `${sealed ? ', sealed for a switch' : ''}${catchUpSince === null ? '' : `, JSON is to be brought up since ${catchUpSince}`}`;
  return `The database belongs to the JSON store ${pairId} and is in ${phase}, epoch ${epoch}${marks}.`;
}
