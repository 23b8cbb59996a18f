import type { Change, ChangeOperation } from '../changes/index.ts';
import type { Log } from '../log.ts';
import type { StoreName } from '../phase/index.ts';
import { factsOf } from './apply-batch.ts';
import type { JobFailure } from './job-failure.ts';

const VERBS: Readonly<Record<ChangeOperation, string>> = {
  create: 'Created',
  update: 'Updated',
  delete: 'Deleted',
};
const PLACES: Readonly<Record<StoreName, string>> = { postgres: 'database', json: 'JSON' };

/** The transition guide's messages: `Dual-write: Created expense 5 in database`. */
export function logApplied(log: Log, direction: StoreName, change: Change): void {
  const preposition = change.op === 'delete' ? 'from' : 'in';
  log.info(
    { ...factsOf(change), direction },
    `Dual-write: ${VERBS[change.op]} ${change.collection} ${change.id} ${preposition} ${PLACES[direction]}`,
  );
}

export function logSuperseded(log: Log, direction: StoreName, change: Change): void {
  log.debug(
    { ...factsOf(change), direction },
    `Dual-write: ${change.collection} ${change.id} version ${change.version} is already known or older`,
  );
}

/** `final`: it stands as a dead letter now; otherwise it is tried again. */
export function logFailed(
  log: Log,
  direction: StoreName,
  change: Change | undefined,
  failure: Pick<JobFailure, 'cause' | 'error' | 'failures' | 'fingerprint'>,
  final: boolean,
): void {
  const what = change === undefined ? 'a job' : `${change.collection} ${change.id}`;
  const { cause, error, failures, fingerprint } = failure;
  const facts = { direction, cause, error, failures, fingerprint, deadLetter: final };
  log.warn(
    { ...(change === undefined ? {} : factsOf(change)), ...facts },
    `Dual-write failed for ${what}: ${failure.error}`,
  );
}
