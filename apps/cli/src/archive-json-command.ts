import type { ArchiveManifest, ArchiveReport, StoreContent } from '@tandem/storage/json';
import type { Command } from 'commander';
import { archive, check } from './archive-json.ts';
import type { CommandContext } from './command-context.ts';
import { logOf } from './output.ts';
import { textTable } from './text-table.ts';

const BYTES_A_MEBIBYTE = 1 << 20;

interface ArchiveCommandOptions {
  readonly to?: string;
  readonly reason?: string;
  readonly dryRun?: boolean;
  readonly check?: string;
  readonly json?: boolean;
}

/** `tandem archive-json`: puts the JSON side away once Phase 5 has proved itself. */
export function addArchiveJson(program: Command, { configure, output }: CommandContext): void {
  const command = program
    .command('archive-json')
    .description('in postgres-only: packs the JSON side into a verified archive and empties it')
    .option('--to <file>', 'the .tar.gz to make; in $DATA_DIR/archive unless told')
    .option('--reason <text>', 'why; kept in the archive and the audit log')
    .option('--dry-run', 'says what would be archived; changes nothing')
    .option('--check <file>', 'reads an archive back instead, and compares it with its manifest')
    .option('--json', 'as one JSON object')
    .action(async ({ to, reason, dryRun = false, ...options }: ArchiveCommandOptions) => {
      const tell = (data: object, text: string) =>
        output.data(options.json ? JSON.stringify(data, null, 2) : text);
      if (options.check !== undefined) {
        const manifest = await check(options.check);
        return tell(manifest, checkedAsText(manifest));
      }
      if (!dryRun && !reason?.trim()) {
        command.error("error: required option '--reason <text>' not specified", { exitCode: 2 });
      }
      const request = { file: to, reason: reason?.trim() ?? '', dryRun };
      const report = await archive(configure(), logOf(output), request);
      tell(report, reportAsText(report));
    });
}

function reportAsText({ file, sha256, content, files }: ArchiveReport): string {
  const bytes = files.reduce((sum, one) => sum + one.bytes, 0);
  const size = `${files.length} files, ${(bytes / BYTES_A_MEBIBYTE).toFixed(1)} MiB`;
  const holds = contentAsText(content);
  if (sha256 === null) return [`Would be archived into ${file}: ${size}.`, '', ...holds].join('\n');
  return [
    `Archived into ${file}: ${size}; read back and compared.`,
    `SHA-256 ${sha256}`,
    '',
    ...holds,
    '',
    'The JSON side is empty and marked as archived. A rollback to postgres-primary fills it anew from PostgreSQL.',
  ].join('\n');
}

const checkedAsText = ({ at, actor, reason, epoch, content }: ArchiveManifest): string =>
  [
    `The archive is whole: archived ${at} by ${actor} at epoch ${epoch}: ${reason}`,
    '',
    ...contentAsText(content),
  ].join('\n');

const contentAsText = ({ collections, idempotencyKeys }: StoreContent): string[] => [
  ...textTable(
    [
      { name: 'collection' },
      { name: 'records and tombstones', alignRight: true },
      { name: 'highest id', alignRight: true },
    ],
    Object.entries(collections).map(([name, { entries, idHighWater }]) => [
      name,
      String(entries),
      String(idHighWater),
    ]),
  ),
  `and ${idempotencyKeys.count} idempotency keys`,
];
