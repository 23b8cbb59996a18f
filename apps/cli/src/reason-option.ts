import { InvalidArgumentError } from 'commander';

/** What `--reason` takes: a sentence, for who asks later. @throws {InvalidArgumentError} without one */
export function reasonOf(text: string): string {
  if (text.trim() !== '') return text.trim();
  throw new InvalidArgumentError('It must say why.');
}
