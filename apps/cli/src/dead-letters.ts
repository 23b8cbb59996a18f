import type { Configuration } from '@tandem/storage/configuration';
import { TandemError } from '@tandem/storage/errors';
import type { Log } from '@tandem/storage/log';
import { auditLog } from '@tandem/storage/postgres';
import {
  createQueueClient,
  type DeadLetter,
  type DeadLetterActResult,
  type DeadLetterFilter,
  type DeadLetterPage,
  discardDeadLetters,
  findDeadLetters,
  redriveDeadLetters,
} from '@tandem/storage/replication';
import { withDatabase } from './opened-database.ts';
import { operatorName } from './operator.ts';

const ACTS = { redrive: redriveDeadLetters, discard: discardDeadLetters } as const;
export type DeadLetterAct = keyof typeof ACTS;

export interface ActAsked {
  readonly filter: DeadLetterFilter;
  readonly reason: string;
  readonly dryRun: boolean;
  readonly expectedCount?: number;
  readonly log: Log;
}

export const readDeadLetters = (
  configuration: Configuration,
  filter: DeadLetterFilter,
  page: DeadLetterPage,
): Promise<readonly DeadLetter[]> =>
  withDatabase(configuration, 'dead-letters', (pool) => findDeadLetters(pool, filter, page));

/** @throws {TandemError} `not-found` when there is no such dead letter */
export async function readDeadLetter(
  configuration: Configuration,
  jobId: string,
): Promise<DeadLetter> {
  const [letter] = await readDeadLetters(configuration, { jobIds: [jobId] }, {});
  if (letter === undefined) throw new TandemError('not-found', `There is no dead letter ${jobId}.`);
  return letter;
}

/** @throws {TandemError} as `redriveDeadLetters` */
export const actOnDeadLetters = (
  configuration: Configuration,
  act: DeadLetterAct,
  { log, ...asked }: ActAsked,
): Promise<DeadLetterActResult> =>
  withDatabase(configuration, 'dead-letters', async (pool) => {
    const queues = createQueueClient({ pool, role: 'enqueue', log });
    try {
      const { filter, ...options } = asked;
      return await ACTS[act](filter, {
        ...options,
        ...{ queues, audit: auditLog, actor: operatorName() },
      });
    } finally {
      await queues.stop();
    }
  });
