import {
  type Acquaintance,
  type JsonPosition,
  jsonWasRestored,
  postgresWasRestored,
} from './lineage.ts';
import type { JsonPhaseState } from './phase-state.ts';
import { primaryOf, type StoreName, secondaryOf } from './phases.ts';

/** Two stores that agree on pair, epoch and phase, and what each remembers of the other. */
export interface MeetingFacts {
  readonly json: JsonPhaseState;
  readonly jsonPosition: JsonPosition;
  readonly postgres: Acquaintance;
}

export type Recognition =
  | { readonly act: 'known' }
  /** The secondary is an older copy: it must be brought up by difference. */
  | { readonly act: 'catch-up'; readonly secondary: StoreName; readonly sentence: string }
  /** The primary is: it may serve only if the secondary holds nothing that it lacks. */
  | { readonly act: 'compare'; readonly primary: StoreName };

/**
 * Decides, before anything is replicated, whether a store was put back behind what the other has seen
 * of it (I12). Pure. Without a secondary there is nothing to bring together.
 */
export function recognise({ json, jsonPosition, postgres }: MeetingFacts): Recognition {
  const secondary = secondaryOf(json.phase);
  if (secondary === null) return { act: 'known' };
  const restored: Readonly<Record<StoreName, boolean>> = {
    json: jsonWasRestored(json.lineage ?? [], jsonPosition, postgres.seenJson),
    postgres: postgresWasRestored(postgres.here, json.seenPostgres ?? null),
  };
  const primary = primaryOf(json.phase);
  if (restored[primary]) return { act: 'compare', primary };
  if (!restored[secondary]) return { act: 'known' };
  return { act: 'catch-up', secondary, sentence: STALE_SECONDARY[secondary] };
}

const STALE_SECONDARY: Readonly<Record<StoreName, string>> = {
  json: 'The JSON store is not as PostgreSQL last saw it: an older copy was put back. It is brought up to date by difference.',
  postgres:
    'The database is not as the JSON store last saw it: it was restored, moved or replaced. It is brought up to date by difference.',
};

/** Why a primary that was put back is not served, and the ways out. */
export function refusalOf(primary: StoreName, missing: string): string {
  return primary === 'json'
    ? `The JSON store was restored from an older copy, and PostgreSQL holds what it lacks: ${missing}. Put the newer folder back. Or, to go on from this older one, point DATABASE_URL at an empty database: that is filled from JSON, and the present one keeps what JSON lacks.`
    : `The database was restored from an older backup, and the JSON store holds what it lacks: ${missing}. Restore a newer backup. Or, to go on from this older one, move the folder JSON_DIR away: a new one is filled from PostgreSQL, and the present one keeps what the database lacks.`;
}
