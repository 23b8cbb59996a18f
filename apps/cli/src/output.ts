import type { Log } from '@tandem/storage/log';

/** Data goes to standard output, whatever is said about it to standard error. */
export interface Output {
  data(text: string): void;
  say(sentence: string): void;
}

export const processOutput: Output = {
  data: (text) => void process.stdout.write(`${text}\n`),
  say: (sentence) => void process.stderr.write(`${sentence}\n`),
};

/**
 * Lets a command go on when nobody reads its output any more (`tandem orders | head`): its work and its
 * exit status stand. Data that is lost otherwise (a full disk) is a failure, with this status.
 * @param failed the exit status then
 */
export function watchOutput(failed: number): void {
  const watch = (stream: NodeJS.WriteStream, lost: (error: Error) => void): void => {
    stream.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'EPIPE') return;
      lost(error);
      // The command's own status is set when it ends, which may be before or after this.
      process.once('exit', () => {
        process.exitCode = failed;
      });
    });
  };
  watch(process.stderr, () => {});
  watch(process.stdout, ({ message }) =>
    processOutput.say(`The output could not be written: ${message}`),
  );
}

const silent = (): void => {};

/** Warnings and errors of the storage package, as sentences. */
export const logOf = ({ say }: Output): Log => ({
  debug: silent,
  info: silent,
  warn: (_fields, sentence) => say(sentence),
  error: (_fields, sentence) => say(sentence),
});
