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

const silent = (): void => {};

/** Warnings and errors of the storage package, as sentences. */
export const logOf = ({ say }: Output): Log => ({
  debug: silent,
  info: silent,
  warn: (_fields, sentence) => say(sentence),
  error: (_fields, sentence) => say(sentence),
});
