import { loadCollections } from '@tandem/storage/collections';
import { checkpointWherever, inspectJsonStore } from '@tandem/storage/json';
import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { logOf } from './output.ts';

/** A checkpoint of a large store takes a while; nothing waits for it but this command. */
const CHECKPOINT_TIMEOUT_MS = 60_000;

/** `tandem checkpoint`: brings `expenses.json` and the like up to date. */
export function addCheckpoint(program: Command, { configure, output }: CommandContext): void {
  program
    .command('checkpoint')
    .description('brings the JSON files up to everything the JSON store has applied')
    .option('--json', 'as one JSON object')
    .action(async (options: { json?: boolean }) => {
      const { jsonDir: directory } = configure();
      const holder = await checkpointWherever({
        ...{ directory, collections: await loadCollections(), log: logOf(output) },
        timeoutMs: CHECKPOINT_TIMEOUT_MS,
      });
      const by = holder === null ? 'this command' : `${holder.processName} (pid ${holder.pid})`;
      if (options.json) output.data(JSON.stringify({ directory, by: holder }));
      else output.say(`The files in ${directory} are up to date; written by ${by}.`);
      const { openEdits } = await inspectJsonStore(directory);
      if (openEdits > 0) {
        output.say(
          `Edits of them by something else that wait for a decision: ${openEdits} ("tandem external-edits").`,
        );
      }
    });
}
