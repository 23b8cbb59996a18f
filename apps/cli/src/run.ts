import { isTandemError, sentenceOf } from '@tandem/storage/errors';
import { CommanderError } from 'commander';
import type { Output } from './output.ts';
import { createProgram } from './program.ts';

/** Exit statuses: done, failed, wrong usage, refused in the present state (the API's 409), wrong
 *  configuration (`EX_CONFIG` of sysexits.h). */
export const EXIT = { done: 0, failed: 1, usage: 2, conflict: 3, configuration: 78 } as const;

/**
 * Runs one command; a failure is one sentence on standard error.
 * @param args what follows the program's name
 * @returns the exit status
 */
export async function run(
  args: readonly string[],
  environment: NodeJS.ProcessEnv,
  output: Output,
): Promise<number> {
  let status: number = EXIT.done;
  const endWith = (other: number): void => {
    status = other;
  };
  try {
    await createProgram(environment, output, endWith).parseAsync([...args], { from: 'user' });
    return status;
  } catch (error) {
    // commander has said already what it found wrong, or printed the help that was asked for.
    if (error instanceof CommanderError) return error.exitCode === 0 ? EXIT.done : EXIT.usage;
    output.say(sentenceOf(error));
    if (isTandemError(error, 'conflict')) return EXIT.conflict;
    return isTandemError(error, 'configuration') ? EXIT.configuration : EXIT.failed;
  }
}
