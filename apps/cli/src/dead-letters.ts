import type { Configuration } from '@tandem/storage/configuration';
import { auditLog, storageError } from '@tandem/storage/postgres';
import { type DeadLetterOperations, deadLetterOperations } from '@tandem/storage/replication';
import { withDatabase } from './opened-database.ts';

/**
 * Runs `work` over what operators see of the dead letters and order about them.
 * @throws {TandemError} `unavailable`; whatever `work` throws
 */
export const withDeadLetters = <T>(
  configuration: Configuration,
  work: (operations: DeadLetterOperations) => Promise<T>,
): Promise<T> =>
  withDatabase(configuration, 'dead-letters', (pool) =>
    work(deadLetterOperations({ pool, audit: auditLog, operatingError: storageError })),
  );
