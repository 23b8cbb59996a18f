import { loadCollections } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { describeNewer, findNewer } from '@tandem/storage/consistency';
import { sentenceOf } from '@tandem/storage/errors';
import { openJsonSnapshot } from '@tandem/storage/json';
import { silentLog } from '@tandem/storage/log';
import {
  type DoctorFacts,
  type JsonPhaseState,
  type PostgresPhaseState,
  recognise,
  reconcile,
  type StoreName,
} from '@tandem/storage/phase';
import { createPool, openPostgresStore, postgresPhase } from '@tandem/storage/postgres';
import { createJobSink, createQueueClient, QUEUES } from '@tandem/storage/replication';
import type { Pool } from 'pg';
import { databaseOf } from './database-url.ts';

type Meeting = Pick<DoctorFacts, 'recognition' | 'missing'>;

const NOT_LOOKED_AT: Meeting = { recognition: null, missing: null };

/**
 * Whether one of two stores that agree on the phase was put back from an older copy, as a start would
 * find it. Reads both whole only where that has to be compared. Changes nothing.
 */
export async function lookAtMeeting(
  configuration: Configuration,
  json: { readonly state: JsonPhaseState; readonly batch: number; readonly isBlank: boolean },
  { state: postgres }: { readonly state: PostgresPhaseState | null },
): Promise<Meeting> {
  const database = databaseOf(configuration);
  if (postgres === null || database === undefined) return NOT_LOOKED_AT;
  const { state, batch, isBlank: jsonIsBlank } = json;
  if (reconcile({ json: state, jsonIsBlank, postgres }).act !== 'none') return NOT_LOOKED_AT;
  const pool = createPool(database.url, { applicationName: 'tandem doctor', max: 2 });
  try {
    const acquaintance = await postgresPhase(pool, () => new Date()).acquaintance(state.pairId);
    const session = state.lineage?.at(-1)?.id ?? '';
    const jsonPosition = { session, batch };
    const recognition = recognise({ json: state, postgres: acquaintance, jsonPosition });
    if (recognition.act !== 'compare') return { recognition, missing: null };
    return { recognition, missing: await missingIn(recognition.primary, configuration, pool) };
  } finally {
    await pool.end();
  }
}

/** What the secondary has and the primary lacks; a phrase also when that can't be told. */
async function missingIn(
  primary: StoreName,
  { jsonDir: directory }: Configuration,
  pool: Pool,
): Promise<string | null> {
  const collections = await loadCollections();
  const queues = createQueueClient({ pool, role: 'enqueue', log: silentLog });
  // It only reads: nothing is ever put into this outbox.
  const jobs = createJobSink({ queues, queue: QUEUES.json });
  const postgres = openPostgresStore({ pool, collections, jobs });
  try {
    const snapshot = await openJsonSnapshot({ directory, collections });
    try {
      const [source, target] = primary === 'json' ? [snapshot, postgres] : [postgres, snapshot];
      const newer = await findNewer(source, target, collections);
      return newer.count === 0 ? null : describeNewer(newer);
    } finally {
      await snapshot.close();
    }
  } catch (error) {
    return `what, can't be told (${sentenceOf(error)})`;
  } finally {
    await postgres.close();
    await queues.stop();
  }
}
