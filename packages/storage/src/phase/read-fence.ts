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
      const manifest = await lookAt(inspectJson);
      // A later epoch in any phase: JSON may have been the primary and not be it any more.
      if (manifest !== undefined && manifest.epoch <= epoch) return;
    }
    throw notPrimary();
  };
}

const notPrimary = (cause?: unknown): TandemError =>
  new TandemError('not-primary', 'PostgreSQL is not the primary, or may not be any more.', {
    cause,
  });

/** A manifest that can't be read says nothing: whoever asks waits, as for a switch. */
async function lookAt(inspectJson: () => Promise<JsonPhaseState | undefined>) {
  try {
    return await inspectJson();
  } catch (error) {
    throw notPrimary(error);
  }
}
