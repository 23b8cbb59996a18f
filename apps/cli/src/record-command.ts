import { xrayRecord } from '@tandem/storage/xray';
import { type Command, InvalidArgumentError } from 'commander';
import type { CommandContext } from './command-context.ts';
import { withXray } from './record.ts';
import { recordAsText } from './record-text.ts';

/** Exit statuses: they differ; one can't be read (`EX_TEMPFAIL` of sysexits.h). */
const EXIT = { same: 0, different: 1, unknown: 75 } as const;

/** `tandem record`: one record wherever it stands. */
export function addRecord(program: Command, { configure, output, endWith }: CommandContext): void {
  program
    .command('record')
    .description(
      'shows one record in both stores and what is on its way; status 1 when they differ, 75 when one can not be read',
    )
    .argument('<collection>', 'e.g. expense')
    .argument('<id>', 'its id', recordId)
    .option('--json', 'as one JSON object')
    .action(async (collection: string, id: number, options: { json?: boolean }) => {
      const record = await withXray(configure(), (ports) => xrayRecord({ collection, id }, ports));
      output.data(options.json ? JSON.stringify(record, null, 2) : recordAsText(record));
      endWith(record.same === null ? EXIT.unknown : record.same ? EXIT.same : EXIT.different);
    });
}

function recordId(text: string): number {
  const id = Number(text);
  if (/^[1-9]\d{0,15}$/.test(text) && Number.isSafeInteger(id)) return id;
  throw new InvalidArgumentError('It must be a positive whole number.');
}
