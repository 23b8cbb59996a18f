import pg from 'pg';
import { sentenceOf } from '../errors.ts';
import { type Log, silentLog } from '../log.ts';

/** A server that does not answer a connection attempt for this long counts as unreachable. */
const CONNECT_TIMEOUT_MS = 5_000;
/** No statement may leave its caller waiting longer: a connection that went silent is given up. */
const QUERY_TIMEOUT_MS = 20_000;
const CONNECTIONS_MAX = 10;

/** OIDs of `pg_type`. Everything that a JavaScript type would bend stays text. */
const INT8 = 20;
const KEPT_AS_TEXT = new Set([114 /* json */, 1082 /* date */, 1114, 1184 /* timestamps */, 1700]);

function toSafeInteger(text: string): number {
  const number = Number(text);
  if (!Number.isSafeInteger(number)) throw new Error(`${text} is beyond a safe integer.`);
  return number;
}

const asText = (text: string): string => text;

/**
 * How values are read: numeric, date, json and timestamps as their text, int8 as a number, the rest
 * as usual. Given to a pool or a query, never set for the whole process (others share `pg`).
 */
export const exactTypes: pg.CustomTypesConfig = {
  getTypeParser: ((oid: number, format?: 'text' | 'binary') => {
    if (format !== 'binary') {
      if (KEPT_AS_TEXT.has(oid)) return asText;
      if (oid === INT8) return toSafeInteger;
    }
    return format === undefined ? pg.types.getTypeParser(oid) : pg.types.getTypeParser(oid, format);
  }) as typeof pg.types.getTypeParser,
};

export interface PoolOptions {
  /** Shown in `pg_stat_activity`. */
  readonly applicationName: string;
  /** Connections at most. */
  readonly max?: number;
  readonly log?: Log;
}

/**
 * A pool of connections with exact types. Nothing is connected before the first query, so the
 * server need not be up. A connection that dies while idle is replaced, and logged at debug.
 */
export function createPool(url: string, options: PoolOptions): pg.Pool {
  const { applicationName, max = CONNECTIONS_MAX, log = silentLog } = options;
  const pool = new pg.Pool({
    connectionString: url,
    application_name: applicationName,
    max,
    connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
    query_timeout: QUERY_TIMEOUT_MS,
    keepAlive: true,
    types: exactTypes,
  });
  pool.on('error', (error) => {
    log.debug({ reason: sentenceOf(error) }, 'An idle connection to PostgreSQL ended.');
  });
  // A connection that dies between two statements of a transaction also emits `error`; the next
  // statement then rejects. Without a listener the process would end instead.
  pool.on('connect', (client) => {
    client.on('error', (error) => {
      log.debug({ reason: sentenceOf(error) }, 'A connection to PostgreSQL ended.');
    });
  });
  return pool;
}
