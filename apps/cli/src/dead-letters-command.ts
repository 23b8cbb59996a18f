import type { StoreName } from '@tandem/storage/phase';
import type { DeadLetterFilter } from '@tandem/storage/replication';
import { type Command, InvalidArgumentError, Option } from 'commander';
import type { CommandContext } from './command-context.ts';
import {
  actOnDeadLetters,
  type DeadLetterAct,
  readDeadLetter,
  readDeadLetters,
} from './dead-letters.ts';
import { actAsText, deadLetterAsText, deadLettersAsText } from './dead-letters-text.ts';
import { logOf } from './output.ts';

const LIST_LIMIT = 50;

interface FilterOptions {
  readonly to?: StoreName;
  readonly collection?: string;
  readonly cause?: string;
  readonly olderThan?: Date;
}

interface ActOptions extends FilterOptions {
  readonly reason: string;
  readonly all?: boolean;
  readonly dryRun?: boolean;
  readonly expect?: number;
  readonly json?: boolean;
}

export function addDeadLetters(program: Command, context: CommandContext): void {
  const command = program
    .command('dead-letters')
    .description('secondary writes that failed for good');
  addReading(command, context);
  addAct(command, context, 'redrive', 'puts dead letters back into their queue; always safe');
  addAct(command, context, 'discard', 'gives dead letters up; the audit log keeps what they held');
}

function addReading(command: Command, { configure, output }: CommandContext): void {
  withFilter(command.command('list').description('lists them, in a stable order'))
    .option('--limit <number>', 'at most so many', count, LIST_LIMIT)
    .option('--after <id>', 'those after this one')
    .option('--json', 'as a JSON array, whole')
    .action(async (options: FilterOptions & { limit: number; after?: string; json?: boolean }) => {
      const { limit, after } = options;
      const page = after === undefined ? { limit } : { limit, after };
      const letters = await readDeadLetters(configure(), filterOf(options), page);
      output.data(options.json ? JSON.stringify(letters, null, 2) : deadLettersAsText(letters));
    });
  command
    .command('show')
    .description('shows one, whole')
    .argument('<id>', 'as the list gives it')
    .option('--json', 'as one JSON object')
    .action(async (id: string, options: { json?: boolean }) => {
      const letter = await readDeadLetter(configure(), id);
      output.data(options.json ? JSON.stringify(letter, null, 2) : deadLetterAsText(letter));
    });
}

function addAct(
  command: Command,
  { configure, output }: CommandContext,
  act: DeadLetterAct,
  description: string,
): void {
  withFilter(command.command(act).description(description))
    .argument('[ids...]', 'as the list gives them')
    .requiredOption('--reason <text>', 'why; kept in the audit log')
    .option('--all', 'every dead letter there is')
    .option('--dry-run', 'only counts')
    .option('--expect <number>', 'changes nothing unless exactly so many match', count)
    .option('--json', 'as one JSON object')
    .action(async (ids: string[], options: ActOptions, self: Command) => {
      const filter = { ...filterOf(options), ...(ids.length > 0 ? { jobIds: ids } : {}) };
      const isNarrow = Object.keys(filter).length > 0;
      if (isNarrow === (options.all === true)) {
        self.error('error: name dead letters by id or by a filter, or say --all');
      }
      const { reason, dryRun = false, expect } = options;
      const result = await actOnDeadLetters(configure(), act, {
        ...{ filter, reason, dryRun, log: logOf(output) },
        ...(expect === undefined ? {} : { expectedCount: expect }),
      });
      output.data(options.json ? JSON.stringify(result) : actAsText(act, result, dryRun));
    });
}

const withFilter = (command: Command): Command =>
  command
    .addOption(
      new Option('--to <store>', 'the store they should have reached').choices([
        'postgres',
        'json',
      ]),
    )
    .option('--collection <name>', 'e.g. expense')
    .option('--cause <word>', 'e.g. rejected, conflict, fork, malformed, defect')
    .option('--older-than <age>', 'dead for longer, e.g. 30m, 12h, 7d; or since an instant', age);

const filterOf = ({ to, collection, cause, olderThan }: FilterOptions): DeadLetterFilter => ({
  ...(to === undefined ? {} : { direction: to }),
  ...(collection === undefined ? {} : { collection }),
  ...(cause === undefined ? {} : { cause }),
  ...(olderThan === undefined ? {} : { olderThan }),
});

function count(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}

const UNIT_MS: Readonly<Record<string, number>> = { s: 1e3, m: 60e3, h: 3_600e3, d: 86_400e3 };

/** An age before now, or an ISO instant. */
function age(text: string): Date {
  const [, number, unit = ''] = /^(\d{1,9})([smhd])$/.exec(text) ?? [];
  const ageMs = Number(number) * (UNIT_MS[unit] ?? Number.NaN);
  const instant = new Date(Number.isNaN(ageMs) ? Date.parse(text) : Date.now() - ageMs);
  if (!Number.isNaN(instant.getTime())) return instant;
  throw new InvalidArgumentError('It must be an age such as 30m, 12h or 7d, or an ISO instant.');
}
