import { TandemError } from '../errors.ts';
import type { JsonPhaseState, PostgresPhaseState } from './phase-state.ts';
import { primaryOf } from './phases.ts';

/** What the phase row said in the snapshot that a read was answered from. */
export type PhaseSeen = Pick<PostgresPhaseState, 'phase' | 'epoch' | 'sealed'>;

/**
 * Judges the answer of a read by the phase it was read in.
 * @throws {TandemError} `not-primary` when another store may have acknowledged what the answer lacks
 */
export type ReadFence = (seen: PhaseSeen) => Promise<void>;

/**
 * The fence of PostgreSQL's answers (I6). A row that is not sealed speaks for itself: JSON commits under the
 * seal alone. Under it only JSON's manifest, looked at after the read, can say that it has not committed.
 * @param inspectJson the manifest, without its lock; `undefined` where there is none, as on another machine
 */
export function readFence(inspectJson: () => Promise<JsonPhaseState | undefined>): ReadFence {
  return async ({ phase, epoch, sealed }) => {
    if (primaryOf(phase) === 'postgres') {
      if (!sealed) return;
      const manifest = await inspectJson();
      if (manifest !== undefined && !hasMovedOn(manifest, epoch)) return;
    }
    throw new TandemError('not-primary', 'PostgreSQL is not the primary, or may not be any more.');
  };
}

const hasMovedOn = (manifest: JsonPhaseState, epoch: number): boolean =>
  primaryOf(manifest.phase) === 'json' && manifest.epoch > epoch;
