import { isTandemError } from '@tandem/storage/errors';
import { mend, mendAlone, type PostgresSide, within } from '@tandem/storage/phase';
import type { JsonSession } from './json-session.ts';

/** A server that fell silent is not waited for where JSON may be, or is about to be, the primary (I5). */
export const ASK_TIMEOUT_MS = 1_000;

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
