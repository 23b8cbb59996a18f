import { isTandemError, type TandemError } from '@tandem/storage/errors';
import type { JsonStore, LockHolder } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import { mend, mendAlone, type PostgresSide, within } from '@tandem/storage/phase';
import type { JsonSession } from './json-session.ts';

/** A server that fell silent is not waited for where JSON may be, or is about to be, the primary (I5). */
export const ASK_TIMEOUT_MS = 1_000;

/** How an api process names itself in the lock. */
export const API = 'api';

/** What kind of process a `lock-held` error names. */
export const holderOf = ({ detail }: TandemError): string | undefined =>
  (detail?.holder as LockHolder | undefined)?.processName;

/** @param askedMs when it was tried, by `performance.now()` */
export function sayTakenOver(log: Log, { recoveryReport }: JsonStore, askedMs: number): void {
  const tookMs = Math.round(performance.now() - askedMs);
  const { warm } = recoveryReport;
  log.info({ warm, tookMs }, `The JSON store was taken over in ${tookMs} ms.`);
}

/**
 * Brings the stores to agree, as far as PostgreSQL can be asked; a JSON primary is served without it.
 * @throws {TandemError} when JSON can't be served by what it knows alone
 */
export async function agreeAfterTakeOver(
  session: JsonSession,
  postgres: PostgresSide,
): Promise<void> {
  const { json } = session;
  const context = session.context('the JSON store was taken over');
  try {
    await within(ASK_TIMEOUT_MS, 'PostgreSQL', postgres.phase.read());
    await mend(context, json.isBlank);
  } catch (error) {
    if (!isTandemError(error, 'unavailable')) throw error;
    await mendAlone(context, json.isBlank);
  }
}
