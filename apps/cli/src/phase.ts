import type { Configuration } from '@tandem/storage/configuration';
import { inspectJsonStore } from '@tandem/storage/json';
import type { MigrationOperations } from '@tandem/storage/phase';
import { migrationOperations } from '@tandem/storage/postgres';
import { readBacklog } from '@tandem/storage/replication';
import { withDatabase } from './opened-database.ts';

/**
 * Runs `work` over what operators ask and order.
 * @throws {TandemError} `unavailable`; whatever `work` throws
 */
export function withOperations<T>(
  configuration: Configuration,
  work: (operations: MigrationOperations) => Promise<T>,
): Promise<T> {
  const { lockedFlags, jsonDir } = configuration;
  return withDatabase(configuration, 'phase', (pool) =>
    work(
      migrationOperations({
        ...{ pool, lockedFlags },
        json: () => inspectJsonStore(jsonDir),
        backlog: () => readBacklog(pool),
      }),
    ),
  );
}
