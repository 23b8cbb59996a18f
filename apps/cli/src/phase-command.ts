import { PHASES, type Phase, type PhaseAnswer } from '@tandem/storage/phase';
import { Argument, type Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from './command-context.ts';
import { operatorName } from './operator.ts';
import { withOperations } from './phase.ts';
import { answerAsText, historyAsText, phaseAsText } from './phase-text.ts';
import { arrived, stillWaiting } from './phase-wait.ts';

const HISTORY_LIMIT = 20;
const HISTORY_LIMIT_MAX = 1_000;
const WAIT_SECONDS = 60;
const WAIT_SECONDS_MAX = 86_400;

/** Exit statuses of a wait: the phase is there; it is not, or not yet. */
const EXIT = { there: 0, notYet: 1 } as const;

interface AskOptions {
  readonly reason: string;
  readonly dryRun?: boolean;
  readonly json?: boolean;
}

interface SetOptions extends AskOptions {
  /** Seconds; `true` when none were given. */
  readonly wait?: number | true;
}

/** `tandem phase …`: shows the phase, asks for another, takes it back. */
export function addPhase(program: Command, context: CommandContext): void {
  const command = program
    .command('phase')
    .description('the phase: which one is desired and effective, and asking for another');
  addReading(command, context);
  addAsking(command, context);
}

function addReading(command: Command, { configure, output }: CommandContext): void {
  command
    .command('show', { isDefault: true })
    .description('what is desired, what is effective, and what is waited for')
    .option('--json', 'as one JSON object')
    .action(async (options: { json?: boolean }) => {
      const report = await withOperations(configure(), (operations) => operations.phase());
      output.data(options.json ? JSON.stringify(report, null, 2) : phaseAsText(report));
    });
  command
    .command('history')
    .description('who moved the phase or asked for it, when and why; newest first')
    .option('--limit <number>', 'at most so many', numberUpTo(HISTORY_LIMIT_MAX), HISTORY_LIMIT)
    .option('--json', 'as a JSON array')
    .action(async (options: { limit: number; json?: boolean }) => {
      const entries = await withOperations(configure(), (operations) =>
        operations.history(options.limit),
      );
      output.data(options.json ? JSON.stringify(entries, null, 2) : historyAsText(entries));
    });
}

function addAsking(command: Command, { configure, output, endWith }: CommandContext): void {
  const tell = (answer: PhaseAnswer, options: AskOptions) => {
    output.data(options.json ? JSON.stringify(answer, null, 2) : answerAsText(answer));
    if (!options.json) for (const warning of answer.warnings) output.say(warning);
  };
  const askedOf = ({ reason, dryRun = false }: AskOptions) => ({
    ...{ actor: operatorName(), reason, dryRun },
  });
  const asking = (one: Command) =>
    one
      .requiredOption('--reason <text>', 'why; kept in the history', reason)
      .option('--dry-run', 'shows the steps, the gates and the expected pause; writes nothing')
      .option('--json', 'as one JSON object');

  asking(command.command('set'))
    .description('sets both flags at once; the running system moves by itself')
    .addArgument(new Argument('<phase>', 'the phase to move to').choices(PHASES))
    .option(
      '--wait [seconds]',
      `until the phase is there, ${WAIT_SECONDS} s at most if not told otherwise; status 1 when it is not`,
      numberUpTo(WAIT_SECONDS_MAX),
    )
    .action((phase: Phase, options: SetOptions) =>
      withOperations(configure(), async (operations) => {
        const answer = await operations.setPhase(phase, askedOf(options));
        tell(answer, options);
        if (options.wait === undefined || options.dryRun === true) return;
        const seconds = options.wait === true ? WAIT_SECONDS : options.wait;
        const report = await arrived(operations, phase, { seconds, say: output.say });
        const isThere = report.effective === phase;
        output.say(isThere ? `The phase is ${phase} now.` : stillWaiting(report));
        endWith(isThere ? EXIT.there : EXIT.notYet);
      }),
    );
  asking(command.command('cancel'))
    .description('sets the flags back to the effective phase')
    .action(async (options: AskOptions) => {
      const answer = await withOperations(configure(), (operations) =>
        operations.cancelPhase(askedOf(options)),
      );
      tell(answer, options);
    });
}

const numberUpTo =
  (max: number) =>
  (text: string): number => {
    const number = Number(text);
    if (/^\d+$/.test(text) && number >= 1 && number <= max) return number;
    throw new InvalidArgumentError(`It must be a whole number from 1 to ${max}.`);
  };

function reason(text: string): string {
  if (text.trim() !== '') return text.trim();
  throw new InvalidArgumentError('It must say why.');
}
