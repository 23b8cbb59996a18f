import { isTandemError, sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import { type JsonPhase, withSession } from '../phase/index.ts';
import type { Recovered } from './open-context.ts';

/** What was recovered, with this opening at the end of its lineage (I12). */
export function withOpening(recovered: Recovered): Recovered {
  const { manifest, journal } = recovered;
  const lineage = withSession(manifest.phase.lineage, journal.mark.batch);
  return { ...recovered, manifest: { ...manifest, phase: { ...manifest.phase, lineage } } };
}

/**
 * Makes the opening durable, before anybody can write: what is written counts to it. On a full disk
 * reads are served all the same, and the next manifest carries it; should a crash come before that, the
 * store is taken for a restored one and compared, which costs time only.
 */
export async function keepOpening(phase: JsonPhase, log: Log): Promise<void> {
  try {
    await phase.update({});
  } catch (error) {
    if (!isTandemError(error, 'storage-full')) throw error;
    log.warn({ error: sentenceOf(error) }, 'Opened the JSON store on a full disk.');
  }
}
