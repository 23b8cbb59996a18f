import { bringUpToDate, type CatchUpWatch, describeDifferences } from '@tandem/storage/consistency';
import type { SwitchContext } from '@tandem/storage/phase';

/**
 * Brings JSON up to date with a PostgreSQL primary by difference, and clears the mark that asked for it.
 * @param marked where PostgreSQL's phase row stands
 * @throws {TandemError} whatever the stores throw; the signal's reason
 */
export async function catchUpJson(
  context: SwitchContext,
  { epoch, catchUpSince }: { readonly epoch: number; readonly catchUpSince: string },
  { watch, signal }: { readonly watch: CatchUpWatch; readonly signal: AbortSignal },
): Promise<void> {
  const { json, postgres, queues, collections, log, actor, reason } = context;
  log.info({ catchUpSince }, 'Catch-up: bringing JSON up to date with PostgreSQL by difference');
  const report = await bringUpToDate({
    ...{ source: postgres, target: json, collections, signal },
    onRejected: (changes) => queues.enqueueRejected('json', changes),
    ...{ watch, isLive: true },
  });
  const { seen, applied, remaining } = report;
  const evidence = { seen, applied, remaining };
  await postgres.phase.advance(epoch, { catchUpSince: null }, { actor, reason, evidence });
  const level = remaining === 0 ? 'info' : 'warn';
  const rest = remaining === 0 ? 'nothing differs' : describeDifferences(report);
  log[level](evidence, `Catch-up: ${applied} of ${seen} were missing in JSON; ${rest}`);
}
