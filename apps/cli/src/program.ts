import { readConfiguration } from '@tandem/storage/configuration';
import { Command } from 'commander';
import { addArchiveJson } from './archive-json-command.ts';
import { addBackfill } from './backfill-command.ts';
import { addCheckpoint } from './checkpoint-command.ts';
import type { CommandContext } from './command-context.ts';
import { requireDatabase } from './database-url.ts';
import { addDeadLetters } from './dead-letters-command.ts';
import { addDivergences } from './divergences-command.ts';
import { addDoctor } from './doctor-command.ts';
import { addExternalEdits } from './external-edits-command.ts';
import { inspect } from './inspect.ts';
import { migrate } from './migrate.ts';
import { addOrders } from './orders-command.ts';
import { logOf, type Output } from './output.ts';
import { addPhase } from './phase-command.ts';
import { addRecord } from './record-command.ts';
import { addRepair } from './repair-command.ts';
import { resultAsJson, resultAsText, runSql } from './sql.ts';
import { statusAsText } from './status-text.ts';
import { addToken } from './token-command.ts';
import { addVerify } from './verify-command.ts';

/**
 * Every command of `tandem`. Each reads the configuration from the environment given.
 * @param endWith takes the status of a command that did its work and found something to tell by it
 */
export function createProgram(
  environment: NodeJS.ProcessEnv,
  output: Output,
  endWith: (status: number) => void,
): Command {
  const configure = () => readConfiguration(environment);
  const context: CommandContext = { configure, output, endWith };
  const program = new Command('tandem')
    .description('Looks after the two stores of a Tandem installation.')
    .configureOutput({
      writeOut: (text) => output.data(text.trimEnd()),
      writeErr: (text) => output.say(text.trimEnd()),
    })
    .exitOverride();

  program
    .command('status')
    .description('the phase, what waits and what failed; also while nothing runs')
    .option('--json', 'as one JSON object')
    .action(async (options: { json?: boolean }) => {
      const status = await inspect(configure());
      output.data(options.json ? JSON.stringify(status, null, 2) : statusAsText(status));
    });

  program
    .command('sql')
    .description('runs SQL on the database in use')
    .argument('<statements>', 'one or more statements, separated by semicolons')
    .option('--json', 'an array of objects for each statement')
    .action(async (text: string, options: { json?: boolean }) => {
      const results = await runSql(requireDatabase(configure()), text);
      for (const result of results) {
        output.data(options.json ? resultAsJson(result) : resultAsText(result));
      }
    });

  program
    .command('migrate')
    .description("brings the database to the current schema, the queue's included")
    .option(
      '--enable-dual-write-on-first-run',
      'set DUAL_WRITE_ENABLED when this creates feature_flags',
    )
    .action(async (options: { enableDualWriteOnFirstRun?: boolean }) => {
      const { applied } = await migrate(requireDatabase(configure()).url, {
        enableDualWriteOnFirstRun: options.enableDualWriteOnFirstRun === true,
        log: logOf(output),
      });
      output.say(
        applied === 0
          ? 'The schema was current already.'
          : `${applied} ${applied === 1 ? 'migration' : 'migrations'} applied; the schema is current.`,
      );
    });

  addPhase(program, context);
  addBackfill(program, context);
  addCheckpoint(program, context);
  addDoctor(program, context);
  addVerify(program, context);
  addRepair(program, context);
  addDivergences(program, context);
  addOrders(program, context);
  addDeadLetters(program, context);
  addRecord(program, context);
  addExternalEdits(program, context);
  addToken(program, context);
  addArchiveJson(program, context);
  return program;
}
