// Follows a page: its commands are run in order on a real system, their outputs compared.
// TANDEM_DOCS=write puts what was really printed into the page.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished } from 'vitest';
import { root } from '../tandem-process.ts';
import { type Block, blocksOf, isShown, writeShown } from './page.ts';
import { Terminal } from './terminal.ts';

const WRITES = process.env.TANDEM_DOCS === 'write';
/** How a page may show a block whose output can't be compared or written as it is. */
const HELD_AS_SHOWN = ['until', 'start', 'stop', 'not-run'];

const asOnAnyMachine = (output: string, folder: string): string =>
  output.replaceAll(folder, '/srv/tandem').replaceAll(/\w+@[\w.-]+/g, 'ops@host');

/** @throws when a command ends, or prints, otherwise than the page says */
export async function follow(page: string): Promise<void> {
  const path = join(root, page);
  const terminal = await Terminal.open();
  const printed: [Block, string][] = [];
  onTestFinished(() => {
    if (WRITES) writeShown(path, printed);
  });
  for (const block of blocksOf(readFileSync(path, 'utf8'))) {
    const output = await terminal.run(block);
    const { shown, how, line } = block;
    if (shown === undefined || HELD_AS_SHOWN.includes(how) || isShown(shown, output)) continue;
    if (WRITES) printed.push([block, asOnAnyMachine(output, terminal.folder)]);
    else expect.fail(`${page}:${line} shows\n${shown}\n--- but it printed\n${output}`);
  }
  await terminal.stop();
}
