import type { Pool } from 'pg';
import type { Change } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import type { PostgresRecords, RecordAct, RecordName } from '../xray/index.ts';
import { divergenceLedger } from './divergence-ledger.ts';
import { storageError } from './failure.ts';
import { readKeys } from './idempotency-keys.ts';
import { isoInstant, postgresPhase } from './phase-row.ts';
import { entriesOf } from './reads.ts';
import { recordTable } from './record-table.ts';
import { readRelayedSeq } from './relay-cursor.ts';
import type { ReadContext } from './store-context.ts';
import { rows } from './transaction.ts';

/** Entries of each kind that are shown, the latest ones. */
const SHOWN_MAX = 100;
/** Acts on dead letters that are looked through, the latest ones: each has up to 500 letters. */
const ACTS_LOOKED_AT_MAX = 1_000;

/** Looks up single records in the database of a migrated installation. */
export function postgresRecords(pool: Pool, collections: readonly Collection[]): PostgresRecords {
  const tables = new Map(collections.map((one) => [one.name, recordTable(one)] as const));
  const context: ReadContext = { pool, tables };
  const ledger = divergenceLedger(pool);
  return {
    async trace(record) {
      try {
        const ofRecord = { collection: record.collection, recordId: record.id };
        const phase = await postgresPhase(pool, () => new Date()).read();
        const { pairId } = phase;
        const collection = collections.find(({ name }) => name === record.collection);
        const found =
          collection === undefined ? [] : await entriesOf(context, collection, [record.id]);
        return {
          ...{ phase, entry: found[0] },
          relayedSeq: pairId === null ? 0 : await readRelayedSeq(pool, pairId),
          divergences: await ledger.find(ofRecord, { limit: SHOWN_MAX }),
          acts: await actsOn(pool, record),
        };
      } catch (error) {
        throw storageError(error);
      }
    },
    async keys(keys) {
      if (keys.length === 0) return [];
      try {
        return await readKeys(pool, keys, new Date());
      } catch (error) {
        throw storageError(error);
      }
    },
  };
}

/** What the audit log has of the record's dead letters: discarded ones whole, redriven ones by name. */
async function actsOn(pool: Pool, { collection, id }: RecordName): Promise<readonly RecordAct[]> {
  const found = await rows(
    pool,
    `SELECT ${isoInstant('at')}, actor, action, reason, letter::text
     FROM (SELECT * FROM audit_log WHERE action IN ('redrive-dead-letters', 'discard-dead-letters')
           ORDER BY id DESC LIMIT $3) AS act,
       json_array_elements(act.details->'letters') AS letter
     WHERE coalesce(letter #>> '{data,change,id}', letter->>'id') = $2
       AND coalesce(letter #>> '{data,change,collection}', letter->>'collection') = $1
     ORDER BY act.id DESC LIMIT $4`,
    [collection, String(id), ACTS_LOOKED_AT_MAX, SHOWN_MAX],
  );
  return (found as [string, string, string, string, string][]).map(
    ([at, actor, action, reason, text]) => {
      const letter: { data?: { change: Change } } & Partial<Change> = JSON.parse(text);
      const change = letter.data?.change ?? null;
      const { epoch = 0, version = 0 } = change ?? letter;
      return { at, actor, action, reason, epoch, version, change };
    },
  );
}
