//   StorageBroken ──> recover from disk ── fails ──> wait, longer each time ──> again
//                         └── works ──> a new core, in a new segment
import { setTimeout as sleep } from 'node:timers/promises';
import { sentenceOf } from '../errors.ts';
import type { Core } from './checkpoint.ts';
import type { Journal } from './journal.ts';
import { readManifest } from './manifest.ts';
import type { OpenContext } from './open-context.ts';
import { recover } from './recovery.ts';

const DELAY_MS = 100;
const DELAY_MAX_MS = 10_000;

/**
 * Recovers a store in place after its disk failed (I11), as often as it takes.
 * @returns `undefined` when the signal aborted first
 */
export async function recoverInPlace(
  context: OpenContext,
  signal: AbortSignal,
): Promise<Core | undefined> {
  const { fileSystem, layout, log } = context;
  for (let delayMs = DELAY_MS; !signal.aborted; delayMs = Math.min(delayMs * 2, DELAY_MAX_MS)) {
    try {
      const found = await readManifest(fileSystem, layout);
      if (found === undefined) throw new Error(`${layout.manifest} is missing.`);
      const { memory, journal, manifest } = await recover(context, found, { trustFiles: false });
      return { memory, journal, manifest };
    } catch (error) {
      log.error({ error: sentenceOf(error), delayMs }, 'Recovering the JSON store failed');
      // Only the signal ends the wait early; the loop looks at it next.
      await sleep(delayMs, undefined, { signal }).catch(() => {});
    }
  }
  return undefined;
}

/** Closes a journal file whose content does not depend on it any more. */
export async function closeJournal({ log }: OpenContext, journal: Journal): Promise<void> {
  try {
    await journal.close();
  } catch (error) {
    log.debug({ error: sentenceOf(error) }, 'A journal file did not close cleanly');
  }
}
