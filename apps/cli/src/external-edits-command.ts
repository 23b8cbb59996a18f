import type { EditOrder } from '@tandem/storage/json';
import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { withExternalEdits } from './external-edits.ts';
import { editAsText, editsAsText, shownEditAsText } from './external-edits-text.ts';
import { operatorName } from './operator.ts';
import { logOf } from './output.ts';
import { reasonOf } from './reason-option.ts';

const ACTS: Readonly<Record<EditOrder['act'], string>> = {
  adopt: 'makes its differences changes of the primary, which replicate',
  reject: 'leaves it aside for good; the own state stands in the files',
};

interface DecideOptions {
  readonly reason: string;
  readonly json?: boolean;
}

/** `tandem external-edits …`: edits of the JSON files that something else made. */
export function addExternalEdits(program: Command, context: CommandContext): void {
  const command = program
    .command('external-edits')
    .description('edits of the JSON files that something else made: kept aside until decided');
  addReading(command, context);
  for (const act of Object.keys(ACTS) as EditOrder['act'][]) addDeciding(command, context, act);
}

function addReading(command: Command, { configure, output }: CommandContext): void {
  command
    .command('list', { isDefault: true })
    .description('lists them, oldest first; "tandem checkpoint" looks for new ones')
    .option('--json', 'as a JSON array')
    .action(async (options: { json?: boolean }) => {
      const edits = await withExternalEdits(configure(), logOf(output), (all) => all.list());
      output.data(options.json ? JSON.stringify(edits, null, 2) : editsAsText(edits));
    });
  command
    .command('show')
    .description('shows one with both texts of each record that it changed')
    .argument('<name>', 'as the list gives it')
    .option('--json', 'as one JSON object')
    .action(async (name: string, options: { json?: boolean }) => {
      const edit = await withExternalEdits(configure(), logOf(output), (all) => all.show(name));
      output.data(options.json ? JSON.stringify(edit, null, 2) : shownEditAsText(edit));
    });
}

function addDeciding(
  command: Command,
  { configure, output }: CommandContext,
  act: EditOrder['act'],
): void {
  command
    .command(act)
    .description(ACTS[act])
    .argument('<name>', 'as the list gives it')
    .requiredOption('--reason <text>', 'why; kept with the edit and in the audit log', reasonOf)
    .option('--json', 'as one JSON object')
    .action(async (name: string, options: DecideOptions) => {
      const order = { edit: name, act, actor: operatorName(), reason: options.reason };
      const edit = await withExternalEdits(configure(), logOf(output), (all) => all.decide(order));
      output.data(options.json ? JSON.stringify(edit, null, 2) : editAsText(edit));
    });
}
