import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { loadCollections } from '@tandem/storage/collections';
import type { Configuration } from '@tandem/storage/configuration';
import { sentenceOf, TandemError } from '@tandem/storage/errors';
import {
  type ArchiveManifest,
  type ArchiveReport,
  archiveJsonStore,
  checkArchive,
  planArchive,
} from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import type { JsonPhaseState } from '@tandem/storage/phase';
import { postgresPhase, recordAudit } from '@tandem/storage/postgres';
import type { Pool } from 'pg';
import { inspect } from './inspect.ts';
import { withDatabase } from './opened-database.ts';
import { operatorName } from './operator.ts';

const FOLDER_MODE = 0o700;

export interface ArchiveRequest {
  /** Where to; made up in `$DATA_DIR/archive` unless given. */
  readonly file: string | undefined;
  readonly reason: string;
  readonly dryRun: boolean;
}

/**
 * Archives the JSON side, and keeps who did it and why in the audit log.
 * @throws {TandemError} `conflict` naming what is not settled; `unavailable`; as `archiveJsonStore`
 */
export async function archive(
  configuration: Configuration,
  log: Log,
  { file: given, reason, dryRun }: ArchiveRequest,
): Promise<ArchiveReport> {
  const { jsonDir: directory, dataDir } = configuration;
  const collections = await loadCollections();
  const folder = join(dataDir, 'archive');
  const name = `json-${new Date().toISOString().replaceAll(':', '-')}.tar.gz`;
  if (given === undefined && !dryRun) await mkdir(folder, { recursive: true, mode: FOLDER_MODE });
  const file = resolve(given ?? join(folder, name));
  return withDatabase(configuration, 'archive-json', async (pool) => {
    const actor = operatorName();
    const mayArchive = (json: JsonPhaseState) => requireSettled(configuration, pool, json);
    const options = { directory, collections, log, file, actor, reason, mayArchive };
    if (dryRun) return planArchive(options);
    const report = await archiveJsonStore(options);
    await keepInAuditLog(pool, log, { actor, reason }, report);
    return report;
  });
}

/** @throws {TandemError} as `checkArchive` of the storage package */
export const check = async (file: string): Promise<ArchiveManifest> =>
  checkArchive(resolve(file), await loadCollections());

/** What keeps the JSON side from being put away: everything that could still need it. */
async function requireSettled(
  configuration: Configuration,
  pool: Pool,
  json: JsonPhaseState,
): Promise<void> {
  const refuse = (sentence: string): never => {
    throw new TandemError('conflict', `The JSON side can't be archived: ${sentence}`);
  };
  const row = await postgresPhase(pool, () => new Date()).read();
  if (row.phase !== 'postgres-only') {
    refuse(`the phase is ${row.phase}; only in postgres-only nothing follows with JSON.`);
  }
  if (row.pairId !== json.pairId || row.epoch !== json.epoch || row.phase !== json.phase) {
    const stands = `JSON says ${json.phase}, epoch ${json.epoch}, PostgreSQL ${row.phase}, epoch ${row.epoch}`;
    refuse(`the stores do not agree (${stands}); "tandem doctor" says what to do.`);
  }
  const status = await inspect(configuration);
  if (status.desired !== 'postgres-only') refuse(`the flags ask for ${status.desired}.`);
  const open = status.divergences?.reduce((sum, one) => sum + one.open, 0) ?? 0;
  const undecided = await postgresPhase(pool, () => new Date()).undecided();
  if (undecided > 0) {
    refuse(`${undecided} forks or conflicts wait for a decision ("tandem divergences").`);
  }
  if (open > 0) refuse(`${open} divergences are open ("tandem divergences").`);
  if (status.deadLetters !== 0) {
    refuse(`${status.deadLetters} dead letters are there ("tandem dead-letters").`);
  }
  if (status.backlog !== 0) refuse(`${status.backlog} changes wait in the queues.`);
  if (row.sealed || json.sealed || json.committing !== null) refuse('a switch is under way.');
}

async function keepInAuditLog(
  pool: Pool,
  log: Log,
  by: { readonly actor: string; readonly reason: string },
  { file, sha256, content }: ArchiveReport,
): Promise<void> {
  const details = { file, sha256, ...content };
  try {
    await recordAudit(pool, { ...by, action: 'archive-json', details });
  } catch (error) {
    const sentence = 'The archive is made, and who made it stands in it, but not in the audit log';
    log.warn({ file, error: sentenceOf(error) }, `${sentence}: ${sentenceOf(error)}`);
  }
}
