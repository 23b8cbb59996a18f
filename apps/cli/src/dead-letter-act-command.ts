import { once } from 'node:events';
import type { DeadLetterAct, DeadLetterActProgress } from '@tandem/storage/replication';
import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { count, type FilterOptions, filterOf, withFilter } from './dead-letter-options.ts';
import { withDeadLetters } from './dead-letters.ts';
import { actAsText } from './dead-letters-text.ts';
import { operatorName } from './operator.ts';
import type { Output } from './output.ts';
import { reasonOf } from './reason-option.ts';

/** Some were left (`EX_TEMPFAIL` of sysexits.h): the same command again goes on. */
const EXIT_LEFT = 75;
const PROGRESS_INTERVAL_MS = 2_000;

interface ActOptions extends FilterOptions {
  readonly reason: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly expect?: number;
  readonly limit?: number;
  readonly json?: boolean;
}

/** `tandem dead-letters redrive|discard`. */
export function addDeadLetterActs(
  command: Command,
  { configure, output, endWith }: CommandContext,
  act: DeadLetterAct,
  description: string,
): void {
  withFilter(command.command(act).description(description))
    .argument('[ids...]', 'as the list gives them')
    .requiredOption('--reason <text>', 'why; kept in the audit log', reasonOf)
    .option('--all', 'every dead letter there is')
    .option('--dry-run', 'only counts, and shows what it would touch')
    .option('--expect <number>', 'changes nothing unless exactly so many match', count)
    .option('--limit <number>', 'about so many at most; status 75 when some are left', count)
    .option('--json', 'as one JSON object')
    .action(async (ids: string[], options: ActOptions, self: Command) => {
      const filter = { ...filterOf(options), ...(ids.length > 0 ? { jobIds: ids } : {}) };
      const isNarrow = Object.keys(filter).length > 0;
      if (isNarrow === (options.all === true)) {
        self.error('error: name dead letters by id or by a filter, or say --all');
      }
      const { reason, dryRun = false, expect, limit } = options;
      const answer = await interruptible((signal) =>
        withDeadLetters(configure(), (operations) =>
          operations.act(act, filter, {
            ...{ actor: operatorName(), reason, dryRun, signal },
            ...(expect === undefined ? {} : { expectedCount: expect }),
            ...(limit === undefined ? {} : { limit }),
            onProgress: progressTo(output, act),
          }),
        ),
      );
      output.data(options.json ? JSON.stringify(answer, null, 2) : actAsText(answer));
      if (answer.remaining > 0 && !dryRun) endWith(EXIT_LEFT);
    });
}

/** Ctrl-C ends the work after the batch in hand, a second one at once. */
async function interruptible<T>(work: (signal: AbortSignal) => Promise<T>): Promise<T> {
  const interrupted = new AbortController();
  const over = new AbortController();
  const listening = once(process, 'SIGINT', { signal: over.signal }).then(
    () => interrupted.abort(),
    () => undefined, // The work was over first.
  );
  try {
    return await work(interrupted.signal);
  } finally {
    over.abort();
    await listening;
  }
}

/** Says how far it is, now and then. */
function progressTo(
  { say }: Output,
  act: DeadLetterAct,
): (progress: DeadLetterActProgress) => void {
  let dueMs = performance.now() + PROGRESS_INTERVAL_MS;
  return ({ done, total }) => {
    if (performance.now() < dueMs) return;
    dueMs = performance.now() + PROGRESS_INTERVAL_MS;
    say(`${act}: ${done} of ${total}`);
  };
}
