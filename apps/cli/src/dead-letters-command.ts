import {
  DEAD_LETTER_ACTS,
  type DeadLetterAct,
  PAGE_LETTERS_MAX,
} from '@tandem/storage/replication';
import { xrayIfKnown } from '@tandem/storage/xray';
import { type Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from './command-context.ts';
import { addDeadLetterActs } from './dead-letter-act-command.ts';
import { count, type FilterOptions, filterOf, withFilter } from './dead-letter-options.ts';
import { withDeadLetters } from './dead-letters.ts';
import { deadLetterAsText, deadLettersAsText, groupsAsText } from './dead-letters-text.ts';
import { withXray } from './record.ts';
import { recordAsText } from './record-text.ts';

const LIST_LIMIT = 50;

const DESCRIPTIONS: Readonly<Record<DeadLetterAct, string>> = {
  redrive: 'puts dead letters back into their queue; always safe',
  discard: 'gives dead letters up; the audit log keeps what they held',
};

export function addDeadLetters(program: Command, context: CommandContext): void {
  const command = program
    .command('dead-letters')
    .description('secondary writes that failed for good');
  addReading(command, context);
  for (const act of DEAD_LETTER_ACTS) addDeadLetterActs(command, context, act, DESCRIPTIONS[act]);
}

function addReading(command: Command, { configure, output }: CommandContext): void {
  withFilter(command.command('list').description('lists them, the latest first'))
    .option('--limit <number>', `at most so many, up to ${PAGE_LETTERS_MAX}`, limit, LIST_LIMIT)
    .option('--cursor <text>', 'the page after the one that gave it')
    .option('--json', 'as one JSON object: total, next (a cursor) and the letters, whole')
    .action(async (options: FilterOptions & { limit: number; cursor?: string; json?: boolean }) => {
      const { limit, cursor } = options;
      const page = cursor === undefined ? { limit } : { limit, cursor };
      const list = await withDeadLetters(configure(), (operations) =>
        operations.page(filterOf(options), page),
      );
      output.data(options.json ? JSON.stringify(list, null, 2) : deadLettersAsText(list));
    });
  withFilter(command.command('groups').description('counts them by their kind of failure'))
    .option('--json', 'as one JSON object, each group with an example')
    .action(async (options: FilterOptions & { json?: boolean }) => {
      const groups = await withDeadLetters(configure(), (operations) =>
        operations.groups(filterOf(options)),
      );
      output.data(options.json ? JSON.stringify(groups, null, 2) : groupsAsText(groups));
    });
  command
    .command('show')
    .description('shows one, whole: the error of every attempt, and its record in both stores')
    .argument('<id>', 'as the list gives it')
    .option('--json', 'as one JSON object: the letter and its record (null if it has none)')
    .action(async (id: string, options: { json?: boolean }) => {
      const configuration = configure();
      const letter = await withDeadLetters(configuration, (operations) => operations.read(id));
      const { item } = letter;
      const record =
        item?.kind === 'change'
          ? await withXray(configuration, (ports) => xrayIfKnown(item.change, ports))
          : null;
      const text = [
        deadLetterAsText(letter),
        ...(record === null ? [] : ['', recordAsText(record)]),
      ];
      output.data(options.json ? JSON.stringify({ letter, record }, null, 2) : text.join('\n'));
    });
}

function limit(text: string): number {
  const number = count(text);
  if (number >= 1 && number <= PAGE_LETTERS_MAX) return number;
  throw new InvalidArgumentError(`It must be from 1 to ${PAGE_LETTERS_MAX}.`);
}
