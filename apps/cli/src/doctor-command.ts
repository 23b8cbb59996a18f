import { isThere } from '@tandem/storage/phase';
import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { type Diagnosis, diagnose } from './doctor.ts';
import { applyPlan } from './doctor-apply.ts';
import { logOf } from './output.ts';

/** Exit statuses: as it should be, or made so; a plan stands, or nothing can be done. */
const EXIT = { well: 0, open: 1 } as const;

/** `tandem doctor`: what state this is, and the smallest plan to the desired phase. */
export function addDoctor(program: Command, { configure, output, endWith }: CommandContext): void {
  program
    .command('doctor')
    .description(
      'says what state this is, and what leads to the desired phase; also if both are down',
    )
    .option('--apply', 'take those steps, if nobody has the JSON store open')
    .option('--json', 'as one JSON object')
    .action(async (options: { apply?: boolean; json?: boolean }) => {
      const configuration = configure();
      const before = await diagnose(configuration);
      const mayApply = options.apply === true && before.stopFirst === null;
      let after = before;
      let waitingFor: string | null = null;
      if (mayApply && before.steps.length > 0) {
        const log = logOf(output);
        ({ waitingFor } = await applyPlan(configuration, before, log));
        after = await diagnose(configuration);
      }
      const applied = after !== before;
      const told = { ...after, waitingFor, applied: applied ? before.steps : [] };
      output.data(options.json ? JSON.stringify(told, null, 2) : diagnosisAsText(told, options));
      endWith(isThere(after) ? EXIT.well : EXIT.open);
    });
}

interface Told extends Diagnosis {
  readonly applied: Diagnosis['steps'];
  readonly waitingFor: string | null;
}

function diagnosisAsText(told: Told, { apply }: { readonly apply?: boolean }): string {
  const { findings, steps, blocked, applied, waitingFor, stopFirst } = told;
  const list = (head: string, some: Diagnosis['steps']): string[] =>
    some.length === 0 ? [] : ['', head, ...some.map(({ what }, at) => `  ${at + 1}. ${what}`)];
  const lines = [...findings, ...list('Done:', applied), ...list('Plan:', steps)];
  if (blocked !== null) lines.push('', `It can't go on by itself: ${blocked}`);
  if (waitingFor !== null) lines.push('', `It stopped before: ${waitingFor}`);
  if (steps.length > 0 && stopFirst !== null) lines.push('', stopFirst);
  else if (steps.length > 0 && blocked === null && apply !== true) {
    lines.push('', 'A start takes these steps by itself; "tandem doctor --apply" takes them now.');
  }
  if (isThere(told)) {
    lines.push(
      '',
      told.postgresProblem === null
        ? 'Nothing is to be done.'
        : 'Nothing is to be done as far as the JSON store alone tells; look again when PostgreSQL answers.',
    );
  }
  return lines.join('\n');
}
