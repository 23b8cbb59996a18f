import { sentenceOf } from '../errors.ts';
import { type Core, updateManifest } from './checkpoint.ts';
import type { CommitLoop } from './commit-loop.ts';
import type { OpenContext } from './open-context.ts';

/**
 * Lets the manifest know how far the journal is durable, and what of it was relayed. Best effort:
 * recovery finds out by itself, and what is relayed twice is a no-op.
 * @param relayedSeq the last outbox `seq` known to be in the queue
 */
export async function markJournal(
  context: OpenContext,
  loop: CommitLoop,
  coreOf: () => Core,
  relayedSeq = 0,
): Promise<void> {
  try {
    await loop.exclusive(async () => {
      const core = coreOf();
      const { manifest, journal } = core;
      const relayed = Math.max(manifest.outbox.relayed, relayedSeq);
      const isMarked = manifest.segments.at(-1)?.length === journal.mark.length;
      if (isMarked && relayed === manifest.outbox.relayed) return;
      await updateManifest(context, core, { outbox: { ...manifest.outbox, relayed } });
    });
  } catch (error) {
    context.log.warn({ error: sentenceOf(error) }, 'The journal could not be marked');
  }
}
