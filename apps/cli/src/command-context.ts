import type { Configuration } from '@tandem/storage/configuration';
import type { Output } from './output.ts';

/** What a command works with. */
export interface CommandContext {
  /** @throws {TandemError} `configuration` */
  configure(): Configuration;
  readonly output: Output;
  /** Ends the command with this status although it did what it was asked for. */
  endWith(status: number): void;
}
