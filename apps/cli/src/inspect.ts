import type { Configuration } from '@tandem/storage/configuration';
import { sentenceOf } from '@tandem/storage/errors';
import { inspectJsonStore } from '@tandem/storage/json';
import {
  createPool,
  divergenceLedger,
  lastVerify,
  liveProcesses,
  postgresPhase,
  readPhaseFlags,
  readRelayedSeq,
  schemaIsCurrent,
} from '@tandem/storage/postgres';
import { readBacklog, readQueueAges } from '@tandem/storage/replication';
import { type Database, databaseOf } from './database-url.ts';
import { type JsonFacts, type PostgresFacts, type Status, statusOf } from './status.ts';

/** Looks at both stores themselves: whether api and worker run makes no difference. Never throws
 *  because something is down; what can't be known is a problem of the status. */
export async function inspect(configuration: Configuration): Promise<Status> {
  const json = await inspectJson(configuration.jsonDir);
  const database = databaseOf(configuration);
  const postgres: PostgresFacts =
    database === undefined
      ? { known: false, reachable: false, problem: 'There is no database yet.' }
      : await inspectPostgres(database, json.phase?.pairId);
  const { lockedFlags, host, port, workerPort } = configuration;
  const metrics = [port, workerPort].flatMap((one) =>
    one === 0 ? [] : [`http://${host.includes(':') ? `[${host}]` : host}:${one}/metrics`],
  );
  return statusOf({ lockedFlags, json, postgres, metrics });
}

async function inspectJson(directory: string): Promise<JsonFacts> {
  try {
    const { phase, head, holder, openEdits } = await inspectJsonStore(directory);
    return {
      ...{ directory, openEdits },
      ...(phase === undefined ? {} : { phase, outboxHead: head }),
      ...(holder === undefined ? {} : { holder }),
    };
  } catch (error) {
    return { directory, problem: `The JSON store can't be read: ${sentenceOf(error)}` };
  }
}

async function inspectPostgres(
  { url, name, remedy }: Database,
  pairId: string | undefined,
): Promise<PostgresFacts> {
  const pool = createPool(url, { applicationName: 'tandem status', max: 1 });
  try {
    if (!(await schemaIsCurrent(pool))) {
      const problem = `${name} does not have the current schema; "tandem migrate" brings it.`;
      return { known: false, reachable: true, problem };
    }
    return {
      known: true,
      phase: await postgresPhase(pool, () => new Date()).read(),
      flags: await readPhaseFlags(pool),
      relayed: pairId === undefined ? 0 : await readRelayedSeq(pool, pairId),
      backlog: await readBacklog(pool),
      queueAges: await readQueueAges(pool),
      processes: await liveProcesses(pool),
      verify: (await lastVerify(pool)) ?? null,
      divergences: await divergenceLedger(pool).budgets(),
    };
  } catch (error) {
    const problem = `${name} can't be asked: ${sentenceOf(error)} ${remedy}`;
    return { known: false, reachable: false, problem };
  } finally {
    await pool.end();
  }
}
