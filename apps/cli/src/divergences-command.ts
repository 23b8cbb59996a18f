import type { LedgerFilter, RepairScope, Side } from '@tandem/storage/consistency';
import { divergenceLedger } from '@tandem/storage/postgres';
import { type Command, Option } from 'commander';
import type { CommandContext } from './command-context.ts';
import { acceptDivergences, readDivergence, setBudget } from './divergences.ts';
import { divergenceAsText, divergencesAsText } from './divergences-text.ts';
import { withDatabase } from './opened-database.ts';
import { reasonOf } from './reason-option.ts';
import { orderRepair, wholeNumber, wholeNumbers } from './repair-command.ts';

const LIST_LIMIT = 50;

interface ListOptions {
  readonly all?: boolean;
  readonly collection?: string;
  readonly class?: string;
  readonly run?: number;
  readonly limit: number;
  readonly after?: number;
  readonly json?: boolean;
}

interface ResolveOptions {
  readonly run?: number;
  readonly keep: Side;
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `tandem divergences`: the ledger of differences between the stores. */
export function addDivergences(program: Command, context: CommandContext): void {
  const command = program
    .command('divergences')
    .description('every difference between the stores that was ever found');
  addReading(command, context);
  addDeciding(command, context);
}

function addReading(command: Command, { configure, output }: CommandContext): void {
  command
    .command('list')
    .description('lists the open ones')
    .option('--all', 'those that have ended, too')
    .option('--collection <name>', 'e.g. expense')
    .option('--class <name>', 'divergent, conflict, fork, dead-lettered, mapping-error')
    .option('--run <number>', 'that this verify run saw last', wholeNumber)
    .option('--limit <number>', 'at most so many', wholeNumber, LIST_LIMIT)
    .option('--after <id>', 'those after this one', wholeNumber)
    .option('--json', 'as a JSON array, whole')
    .action(async ({ all, collection, run, limit, after, json, ...rest }: ListOptions) => {
      const filter: LedgerFilter = {
        ...(all === true ? {} : { isOpen: true }),
        ...(collection === undefined ? {} : { collection }),
        ...(rest.class === undefined ? {} : { class: rest.class }),
        ...(run === undefined ? {} : { runId: run }),
      };
      const page = { limit, ...(after === undefined ? {} : { after }) };
      const entries = await withDatabase(configure(), 'divergences', (pool) =>
        divergenceLedger(pool).find(filter, page),
      );
      output.data(json ? JSON.stringify(entries, null, 2) : divergencesAsText(entries));
    });
  command
    .command('show')
    .description('shows one with both sides')
    .argument('<id>', 'as the list gives it', wholeNumber)
    .option('--json', 'as one JSON object')
    .action(async (id: number, { json }: { json?: boolean }) => {
      const entry = await readDivergence(configure(), id);
      output.data(json ? JSON.stringify(entry, null, 2) : divergenceAsText(entry));
    });
}

function addDeciding(command: Command, context: CommandContext): void {
  const { configure, output } = context;
  command
    .command('resolve')
    .description('keeps one side, written as a new version; the other stays in the ledger')
    .argument('[ids...]', 'as the list gives them', wholeNumbers)
    .option('--run <number>', 'every open one that this verify run saw', wholeNumber)
    .addOption(
      new Option('--keep <side>', 'whose content counts')
        .choices(['primary', 'secondary'])
        .makeOptionMandatory(),
    )
    .requiredOption('--reason <text>', 'why; kept in the audit log', reasonOf)
    .option('--dry-run', 'shows what would be done')
    .option('--json', 'as one JSON object')
    .action(async (ids: number[], options: ResolveOptions, self: Command) => {
      const { run, keep, reason, dryRun = false, json } = options;
      if (ids.length > 0 === (run !== undefined)) {
        self.error('error: name divergences by id, or a run (--run 12)');
      }
      const scope: RepairScope = run === undefined ? { entryIds: ids } : { runId: run };
      await orderRepair(context, { scope, keep, dryRun, reason }, json === true);
    });
  command
    .command('accept')
    .description(
      'ends entries as they are; while the stores differ the next verify lists them anew',
    )
    .argument('<ids...>', 'as the list gives them', wholeNumbers)
    .requiredOption('--reason <text>', 'why; kept in the audit log', reasonOf)
    .action(async (ids: number[], { reason }: { reason: string }) => {
      const count = await acceptDivergences(configure(), ids, reason);
      output.say(`${count} accepted.`);
    });
  command
    .command('budget')
    .description('how many open ones of a collection keep no gate closed')
    .argument('<collection>', 'e.g. expense, or "key"')
    .argument('<allowed>', '0 unless it was set', wholeNumber)
    .requiredOption('--reason <text>', 'why; kept in the audit log', reasonOf)
    .action(async (collection: string, allowed: number, { reason }: { reason: string }) => {
      await setBudget(configure(), { collection, allowed }, reason);
      output.say(`${collection} may have ${allowed} open.`);
    });
}
