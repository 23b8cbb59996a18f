//   JSON:        opened ──s1── batch 40 ──s2── batch 90 ──s3── batch 120 (here)
//   PostgreSQL remembers that it saw s2 at batch 75: s2 went on to 90, so this is still that store.
//   Had it seen s2 at batch 95, or a session that is not in the row, another life of the store had
//   gone on there: this folder was restored from an older copy (I12).
import { randomUUID } from 'node:crypto';

/** One opening of a JSON store. A copy that is put back is opened anew, and so begins one of its own. */
export interface JsonSession {
  readonly id: string;
  /** Journal batches before it. */
  readonly batch: number;
}

/** How far a JSON store is: which opening, and how many journal batches. */
export interface JsonPosition {
  readonly session: string;
  readonly batch: number;
}

/** How far a database is. */
export interface PostgresPosition {
  /** Names the very cluster, timeline, database and schema: a restored dump is another. */
  readonly identity: string;
  /** Durable WAL of that timeline. It only grows; in an older copy of the cluster it is shorter. */
  readonly walBytes: number;
}

/** What PostgreSQL says of itself, and remembers of the JSON store. */
export interface Acquaintance {
  readonly here: PostgresPosition;
  /** The highest position of the JSON store it has seen; `null` before the first. */
  readonly seenJson: JsonPosition | null;
}

/** Openings remembered. A store that was not met for longer counts as restored: then the stores are
 *  compared, which is right in any case. */
const SESSIONS_MAX = 64;

/** The lineage with one more opening, after so many batches. */
export const withSession = (
  lineage: readonly JsonSession[] | undefined,
  batch: number,
): readonly JsonSession[] => [
  ...(lineage ?? []).slice(1 - SESSIONS_MAX),
  { id: randomUUID(), batch },
];

/** Whether a JSON store has lost what the other side saw of it. */
export function jsonWasRestored(
  lineage: readonly JsonSession[],
  here: JsonPosition,
  seen: JsonPosition | null,
): boolean {
  if (seen === null) return false;
  const index = lineage.findIndex(({ id }) => id === seen.session);
  if (index < 0) return true;
  return seen.batch > (lineage[index + 1]?.batch ?? here.batch);
}

/** Whether a database is not, or no longer, what the other side saw of it. */
export const postgresWasRestored = (
  here: PostgresPosition,
  seen: PostgresPosition | null,
): boolean => seen !== null && (here.identity !== seen.identity || here.walBytes < seen.walBytes);
