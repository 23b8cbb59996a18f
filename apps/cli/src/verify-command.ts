import type { VerifyProgress } from '@tandem/storage/consistency';
import { type Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from './command-context.ts';
import { logOf, type Output } from './output.ts';
import { runSelfTest, type SelfTestResult } from './self-test.ts';
import { runVerify } from './verify.ts';
import { verifyAsText } from './verify-text.ts';

/** Exit statuses: they differ; try again (`EX_TEMPFAIL` of sysexits.h). */
const EXIT = { clean: 0, differences: 1, inconclusive: 75 } as const;
const PATIENCE_SECONDS = 30;
const PROGRESS_INTERVAL_MS = 2_000;

interface Options {
  readonly full?: boolean;
  readonly selfTest?: boolean;
  readonly json?: boolean;
  readonly patience: number;
}

export function addVerify(program: Command, { configure, output, endWith }: CommandContext): void {
  program
    .command('verify')
    .description('compares both stores; status 1 when they differ')
    .option('--full', 'reads everything, not only what changed since it was compared last')
    .option(
      '--self-test',
      'plants faults in scratch stores and sees that they are found and mended',
    )
    .option('--json', 'as one JSON object, with both texts of the first differences')
    .option(
      '--patience <seconds>',
      'how long to wait, in all, for changes that are on their way',
      seconds,
      PATIENCE_SECONDS,
    )
    .action(async (options: Options) => {
      if (options.selfTest === true) {
        const result = await runSelfTest(configure());
        output.data(options.json ? JSON.stringify(result, null, 2) : selfTestAsText(result));
        endWith(result.isPassed ? EXIT.clean : EXIT.differences);
        return;
      }
      const verified = await runVerify(configure(), {
        patienceMs: options.patience * 1_000,
        log: logOf(output),
        isFull: options.full === true,
        say: (sentence) => output.say(sentence),
        onProgress: progressTo(output),
      });
      const { phase, run } = verified;
      output.data(
        options.json ? JSON.stringify({ phase, ...run }, null, 2) : verifyAsText(verified),
      );
      endWith(EXIT[run.outcome]);
    });
}

function seconds(text: string): number {
  const value = Number(text);
  if (text.trim() !== '' && value >= 0 && value <= 86_400) return value;
  throw new InvalidArgumentError('It must be a number of seconds from 0 to 86400.');
}

/** Says how far it is, now and then. */
function progressTo({ say }: Output): (progress: VerifyProgress) => void {
  let dueMs = performance.now() + PROGRESS_INTERVAL_MS;
  return ({ done, total, rate }) => {
    if (performance.now() < dueMs) return;
    dueMs = performance.now() + PROGRESS_INTERVAL_MS;
    say(`Verify: ${done} of ${total} ids, ${rate} records a second`);
  };
}

function selfTestAsText({ isPassed, rounds }: SelfTestResult): string {
  const lines = rounds.map(({ primary, planted, missed, falseAlarms, repaired, isClean }) => {
    const wrong = [
      ...missed.map((name) => `${name} was missed`),
      ...falseAlarms.map((name) => `${name} was a false alarm`),
    ];
    const rest = wrong.length === 0 ? 'all found and nothing else' : wrong.join(', ');
    return `With ${primary} as the primary: ${planted.length} planted, ${rest}; ${repaired} mended, then ${isClean ? 'clean' : 'not clean'}.`;
  });
  return [isPassed ? 'The self-test passed.' : 'The self-test failed.', ...lines].join('\n');
}
