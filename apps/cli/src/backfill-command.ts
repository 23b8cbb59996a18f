import { describeProgress } from '@tandem/storage/consistency';
import type {
  BackfillAnswer,
  BackfillOrder,
  BackfillReport,
  RunningCatchUp,
} from '@tandem/storage/phase';
import type { Command } from 'commander';
import { backfilled } from './backfill.ts';
import type { CommandContext } from './command-context.ts';
import { operatorName } from './operator.ts';
import type { Output } from './output.ts';
import { withOperations } from './phase.ts';

/** Exit statuses: the secondary holds all of the primary; something is left, or it failed. */
const EXIT = { whole: 0, left: 1 } as const;
const NAMES = { json: 'JSON', postgres: 'PostgreSQL' } as const;

interface BackfillOptions {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly wait: boolean;
  readonly json?: boolean;
}

/** `tandem backfill`: the secondary is brought up by difference, in the running system. */
export function addBackfill(
  program: Command,
  { configure, output, endWith }: CommandContext,
): void {
  program
    .command('backfill')
    .description(
      'has the running system bring the secondary up to all that the primary holds; status 1 when something is left',
    )
    .option('--reason <text>', 'why; kept in the audit log', 'tandem backfill')
    .option('--dry-run', 'says what would be done and what runs already; asks for nothing')
    .option('--no-wait', 'asks and does not wait for the end')
    .option('--json', 'as one JSON object')
    .action(async ({ reason, dryRun = false, wait, json = false }: BackfillOptions) => {
      await withOperations(configure(), async (operations) => {
        const answer = await operations.askBackfill({ actor: operatorName(), reason, dryRun });
        if (!json) for (const warning of answer.warnings) output.say(warning);
        if (answer.order === null || !wait) {
          const report = await operations.backfills();
          tell(output, json, { ...answer, ...report }, () => askedAsText(answer, report));
          return;
        }
        const order = await backfilled(operations, answer.order, output.say);
        tell(output, json, { ...answer, ...order }, () => doneAsText(answer, order));
        endWith(order.result?.remaining === 0 ? EXIT.whole : EXIT.left);
      });
    });
}

function tell(output: Output, json: boolean, data: object, text: () => string): void {
  output.data(json ? JSON.stringify(data, null, 2) : text());
}

function askedAsText(
  { order, towards, joined }: BackfillAnswer,
  { catchUpSince, running }: BackfillReport,
): string {
  const name = NAMES[towards];
  const asked = joined ? `asked for already` : order === null ? '' : `asked for (order ${order})`;
  const lines = [
    order === null
      ? `${name} would be brought up to date by difference.${joined ? ' It was asked for already.' : ''}`
      : `That ${name} is brought up to date by difference was ${asked}.`,
  ];
  if (catchUpSince !== null)
    lines.push(`It is behind since ${catchUpSince}, and mended by itself.`);
  return [...lines, ...catchUpsAsText(running)].join('\n');
}

function doneAsText(
  { towards }: BackfillAnswer,
  { result, problem, state }: BackfillOrder,
): string {
  if (result === null) return `The backfill is ${state}: ${problem ?? 'nothing is known of it'}`;
  const { applied, seen, rest } = result;
  const told = `${applied} of ${seen} records and tombstones were missing in ${NAMES[towards]}.`;
  return rest === null ? `${told} Now it holds all of them.` : `${told} ${rest}`;
}

/** A line for each catch-up under way, whoever runs it. */
export const catchUpsAsText = (running: readonly RunningCatchUp[]): string[] =>
  running.map(
    ({ towards, process, ...progress }) =>
      `Catch-up      towards ${NAMES[towards]}: ${describeProgress(progress)} (${process})`,
  );
