import type { JsonPhaseState, PostgresPhaseState } from './phase-state.ts';
import { type Phase, primaryOf } from './phases.ts';

/** What the two stores say of themselves, before anything is served. */
export interface PhaseFacts {
  readonly json: JsonPhaseState;
  /** The JSON store was made just now and holds nothing: it may join any database. */
  readonly jsonIsBlank: boolean;
  /** `null` while PostgreSQL can't be asked. */
  readonly postgres: PostgresPhaseState | null;
}

/** The next thing to do until the stores agree on where the system stands. */
export type Reconciliation =
  | { readonly act: 'none' }
  /** The database never met a JSON store: it becomes this one's other half. */
  | { readonly act: 'pair' }
  /** A blank JSON store becomes the secondary of a PostgreSQL primary. */
  | { readonly act: 'join' }
  /** PostgreSQL is further, and the truth. */
  | { readonly act: 'tell-json' }
  /** JSON is further, and the truth. */
  | { readonly act: 'tell-postgres' }
  /** A commit towards PostgreSQL that did not happen must be made impossible, then forgotten. */
  | { readonly act: 'abort-commit'; readonly epoch: number }
  | { readonly act: 'lift-json-seal' }
  /** PostgreSQL is back after the emergency brake: it is sealed, and both sides are brought together. */
  | { readonly act: 'return-from-brake' }
  /** It was brought together already. */
  | { readonly act: 'forget-brake' }
  | { readonly act: 'lift-postgres-seal' }
  | { readonly act: 'refuse'; readonly code: RefusalCode; readonly sentence: string };

type RefusalCode = 'unavailable' | 'mismatched-stores';

const refuse = (code: RefusalCode, sentence: string): Reconciliation => ({
  act: 'refuse',
  code,
  sentence,
});

const NEWER_FOLDER =
  'Put the newer folder back. Or, to go on from this older one, point DATABASE_URL at an empty database: that is filled from JSON, and the present one keeps what JSON lacks.';
const NEW_FOLDER =
  'Move the folder JSON_DIR away: a new one is filled from PostgreSQL, the primary.';

const jsonServes = (phase: Phase): boolean => primaryOf(phase) === 'json';

/**
 * Decides what must be mended before the system may serve. Pure; the driver (the holder of the JSON
 * lock) carries it out, reads the facts anew and asks again until nothing is left to do.
 *
 * Every phase change commits in the new primary first, so of two paired stores the one with the
 * higher epoch is right, if that epoch can have come from the other's state at all: anything else is
 * a restored backup or another installation, and is refused (I12).
 */
export function reconcile({ json, jsonIsBlank, postgres }: PhaseFacts): Reconciliation {
  if (postgres === null) return withoutPostgres(json);
  if (postgres.pairId !== json.pairId) return unpaired(json, jsonIsBlank, postgres);
  if (json.braked) return afterBrake(json, json.braked.epoch, postgres);
  if (json.committing !== null) {
    return afterCommitting(json, json.committing.epoch, postgres);
  }
  if (postgres.epoch > json.epoch) return postgresIsFurther(json, postgres);
  if (postgres.epoch < json.epoch) return jsonIsFurther(json, postgres);
  if (postgres.phase !== json.phase) {
    return refuse(
      'mismatched-stores',
      `Both stores are at epoch ${json.epoch}, but JSON says ${json.phase} and PostgreSQL ${postgres.phase}: one of them was changed by hand. Undo that; whatever was written since stands in the store that was served.`,
    );
  }
  if (json.sealed) return { act: 'lift-json-seal' };
  if (postgres.sealed) return { act: 'lift-postgres-seal' };
  return { act: 'none' };
}

/** The database either has the attempt (or is past it), or must be moved past it itself: a commit still
 *  on its way then finds another epoch. */
function afterCommitting(
  json: JsonPhaseState,
  attemptedEpoch: number,
  postgres: PostgresPhaseState,
): Reconciliation {
  if (postgres.epoch < attemptedEpoch) return { act: 'abort-commit', epoch: attemptedEpoch };
  const wasAborted = postgres.epoch === attemptedEpoch && postgres.phase === json.phase;
  if (wasAborted || !jsonServes(postgres.phase)) return { act: 'tell-json' };
  // It was primary and gave it back: to a store that this folder is an older copy of.
  return postgresIsFurther(json, postgres);
}

/** The brake raised the epoch in JSON while PostgreSQL stayed at its own, or went on by itself. */
function afterBrake(
  json: JsonPhaseState,
  brakedEpoch: number,
  postgres: PostgresPhaseState,
): Reconciliation {
  if (postgres.epoch === json.epoch && postgres.phase === json.phase) {
    return { act: 'forget-brake' };
  }
  if (postgres.epoch < json.epoch) return { act: 'return-from-brake' };
  return refuse(
    'mismatched-stores',
    `The emergency brake was pulled at epoch ${brakedEpoch}, and the database went on to epoch ${postgres.epoch} (${postgres.phase}) without this store: it needs a decision which of them counts. For PostgreSQL move the folder JSON_DIR away, it keeps what was written under the brake; for JSON point DATABASE_URL at an empty database, the present one keeps the rest.`,
  );
}

function withoutPostgres(json: JsonPhaseState): Reconciliation {
  if (!jsonServes(json.phase)) {
    return refuse(
      'unavailable',
      `The primary is PostgreSQL (${json.phase}), and it can't be reached.`,
    );
  }
  if (json.committing !== null) {
    return refuse(
      'unavailable',
      `A switch to ${json.committing.phase} was being committed, and PostgreSQL, which alone knows whether it was, can't be reached.`,
    );
  }
  return json.sealed ? { act: 'lift-json-seal' } : { act: 'none' };
}

function unpaired(
  json: JsonPhaseState,
  jsonIsBlank: boolean,
  postgres: PostgresPhaseState,
): Reconciliation {
  if (postgres.pairId === null) {
    if (jsonServes(json.phase) && json.committing === null) return { act: 'pair' };
    return refuse(
      'mismatched-stores',
      `The JSON store says that PostgreSQL is the primary (${json.phase}), but this database never met it: DATABASE_URL points at another or an empty database. Set it to the one that did. If that is lost, restore it from a backup, or go on from JSON by the emergency brake.`,
    );
  }
  if (jsonIsBlank && !jsonServes(postgres.phase)) return { act: 'join' };
  return refuse(
    'mismatched-stores',
    `The database belongs to the JSON store ${postgres.pairId}, but JSON_DIR holds ${json.pairId}: they are two installations, or JSON_DIR points at the wrong folder. Set JSON_DIR and DATABASE_URL to halves that belong together; or, to begin anew from one of them, give it an empty folder or an empty database.`,
  );
}

function postgresIsFurther(json: JsonPhaseState, postgres: PostgresPhaseState): Reconciliation {
  if (!jsonServes(postgres.phase) && !jsonServes(json.phase)) return { act: 'tell-json' };
  return refuse(
    'mismatched-stores',
    `The JSON store is at epoch ${json.epoch} (${json.phase}), the database already at ${postgres.epoch} (${postgres.phase}): the JSON store was restored from an older copy. ${jsonServes(postgres.phase) ? NEWER_FOLDER : NEW_FOLDER}`,
  );
}

function jsonIsFurther(json: JsonPhaseState, postgres: PostgresPhaseState): Reconciliation {
  if (jsonServes(json.phase)) return { act: 'tell-postgres' };
  return refuse(
    'mismatched-stores',
    `The database is at epoch ${postgres.epoch} (${postgres.phase}), the JSON store already at ${json.epoch} (${json.phase}): the database was restored from an older backup. Restore a newer one. Or, to go on from this older one, move the folder JSON_DIR away: a new one is filled from PostgreSQL, and the present one keeps what the database lacks.`,
  );
}
