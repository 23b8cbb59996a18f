import { TandemError } from '@tandem/storage/errors';
import {
  type JsonPhaseState,
  type PhaseFlags,
  primaryOf,
  type ResolvedFlags,
} from '@tandem/storage/phase';

/**
 * A PostgreSQL phase without PostgreSQL can't be served; a JSON phase can.
 * @throws {TandemError} `unavailable`, with the reason
 */
export function refuseWithoutPostgres(
  flags: ResolvedFlags,
  manifest: JsonPhaseState | undefined,
  why: string,
): void {
  const effective = manifest?.phase;
  if (effective !== undefined && primaryOf(effective) === 'postgres') {
    throw new TandemError('unavailable', `The primary is PostgreSQL (${effective}): ${why}`);
  }
  const { value, source } = flags.flags.USE_DATABASE_STORAGE;
  // In the middle of a switch what the environment asks for was under way: reads go on.
  if (value && source === 'environment' && !manifest?.committing) {
    throw new TandemError(
      'unavailable',
      `FF_USE_DATABASE_STORAGE asks for ${flags.desired}, but PostgreSQL can't be used: ${why}`,
    );
  }
}

/**
 * Both flags false by the environment, and PostgreSQL, which can't be reached, is or may be primary:
 * merely being down, without those two variables, is never taken for it.
 * @throws {TandemError} `unavailable` when JSON was archived: it holds nothing to serve from
 */
export function asksForBrake(
  locked: Partial<PhaseFlags>,
  manifest: JsonPhaseState | undefined,
): boolean {
  if (locked.USE_DATABASE_STORAGE !== false || locked.DUAL_WRITE_ENABLED !== false) return false;
  if (manifest === undefined) return false;
  const { archived, committing, phase } = manifest;
  if (archived) {
    throw new TandemError(
      'unavailable',
      `The emergency brake is refused: the JSON side was archived at ${archived.at} into ${archived.file}, and holds nothing to serve from. Bring PostgreSQL back, from a backup if need be.`,
    );
  }
  return primaryOf(phase) === 'postgres' || committing !== null;
}
