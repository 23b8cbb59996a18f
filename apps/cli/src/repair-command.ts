import type { RepairResult, RepairScope, Side } from '@tandem/storage/consistency';
import { type Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from './command-context.ts';
import { carriedOut } from './consistency-order.ts';
import { withDatabase } from './opened-database.ts';
import { operatorName } from './operator.ts';
import { reasonOf } from './reason-option.ts';
import { repairAsText } from './repair-text.ts';

/** Exit statuses: all mended, or nothing differed; something was left or failed. */
const EXIT = { mended: 0, left: 1 } as const;

export interface RepairOrder {
  readonly scope: RepairScope;
  readonly keep: Side | null;
  readonly dryRun: boolean;
  readonly reason: string;
}

interface RepairOptions {
  readonly run?: number;
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

/** `tandem repair`: makes the secondary equal to the primary where they differ. */
export function addRepair(program: Command, context: CommandContext): void {
  program
    .command('repair')
    .description(
      "writes the primary's record anew where the stores differ; status 1 when something is left",
    )
    .argument('[collection]', 'e.g. expense')
    .argument('[id]', 'its id', wholeNumber)
    .option('--run <number>', 'every difference that this verify run saw', wholeNumber)
    .requiredOption('--reason <text>', 'why; kept in the audit log', reasonOf)
    .option('--dry-run', 'shows what would be done')
    .option('--json', 'as one JSON object')
    .action(
      async (
        collection: string | undefined,
        id: number | undefined,
        { run, reason, dryRun = false, json }: RepairOptions,
        self: Command,
      ) => {
        const isRecord = collection !== undefined && id !== undefined;
        const isRun = run !== undefined && collection === undefined;
        if (isRecord === isRun) {
          self.error('error: name a record (expense 5) or a run (--run 12)');
        }
        const scope = isRecord ? { collection, id } : { runId: run ?? 0 };
        await orderRepair(context, { scope, keep: null, dryRun, reason }, json === true);
      },
    );
}

/** Orders a repair, waits for it and prints what became of it. */
export async function orderRepair(
  { configure, output, endWith }: CommandContext,
  { reason, ...what }: RepairOrder,
  asJson: boolean,
): Promise<void> {
  const result = await withDatabase(configure(), 'repair', async (pool) => {
    const order = { what: { kind: 'repair' as const, ...what }, actor: operatorName(), reason };
    const done = await carriedOut(pool, order, (sentence) => output.say(sentence));
    return done.result as RepairResult;
  });
  output.data(asJson ? JSON.stringify(result, null, 2) : repairAsText(result));
  endWith(result.counts.left + result.counts.failed > 0 ? EXIT.left : EXIT.mended);
}

/** One more id of several. @throws {InvalidArgumentError} */
export const wholeNumbers = (text: string, before: readonly number[] = []): readonly number[] => [
  ...before,
  wholeNumber(text),
];

export function wholeNumber(text: string): number {
  if (/^\d{1,15}$/.test(text)) return Number(text);
  throw new InvalidArgumentError('It must be a whole number.');
}
