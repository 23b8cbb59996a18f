import { inJson, type Mutant } from './mutant.ts';

const CRASH = ['crash-sweep'];

/** Each fsync, fdatasync and directory sync of the JSON store, taken away. */
export const SYNC_MUTANTS: readonly Mutant[] = [
  inJson(
    'journal: no fdatasync behind a batch',
    'journal',
    "    try {\n      await this.#file.fdatasync();\n    } catch (error) {\n      throw this.#broken('syncing', error);",
    "    try {\n      void 0;\n    } catch (error) {\n      throw this.#broken('syncing', error);",
    CRASH,
  ),
  inJson(
    'journal: no fsync of a new segment',
    'journal',
    '        await file.fsync();\n',
    '',
    CRASH,
  ),
  inJson(
    'journal: no directory sync behind a new segment',
    'journal',
    '        await fileSystem.syncDirectory(layout.tandem);\n',
    '',
    CRASH,
  ),
  inJson(
    'journal: no fdatasync behind cutting an unfinished batch off',
    'journal',
    '      await this.#file.truncate(length);\n      await this.#file.fdatasync();\n',
    '      await this.#file.truncate(length);\n',
    ['after-a-refusal'],
  ),
  inJson(
    'whole file: no fsync before the rename',
    'whole-file',
    '    await file.fsync();\n',
    '',
    CRASH,
  ),
  inJson(
    'whole file: no directory sync behind the rename',
    'whole-file',
    '    await fileSystem.syncDirectory(dirname(path));\n',
    '',
    CRASH,
  ),
  inJson('state file: no fsync', 'state-file', '    await file.fsync();\n', '', CRASH),
  inJson('checkpoint file: no fsync', 'legacy-json', '    await file.fsync();\n', '', CRASH),
  inJson(
    'large files: not synced as they grow',
    'syncing-writer',
    '    await this.#file.fdatasync();\n',
    '',
    ['syncing-writer'],
  ),
  inJson(
    'checkpoint: no directory sync behind the renames',
    'checkpoint',
    '      }\n      await fileSystem.syncDirectory(layout.directory);\n',
    '      }\n',
    CRASH,
  ),
  inJson(
    'checkpoint: no directory sync before hashes of a failed one are forgotten',
    'checkpoint',
    '    await fileSystem.syncDirectory(layout.directory);\n    const known',
    '    const known',
    ['checkpoint-settling'],
  ),
  inJson(
    'adoption: no directory sync upwards',
    'adoption',
    '      await fileSystem.syncDirectory(path);\n',
    '',
    CRASH,
  ),
  inJson(
    'adoption: no sync of the folder of the originals',
    'adoption',
    '  await fileSystem.syncDirectory(layout.adopted);\n',
    '',
    ['kept-aside'],
  ),
  inJson(
    'external edit: no sync above the folder of kept edits',
    'external-edit',
    '  await fileSystem.syncDirectory(layout.tandem);\n',
    '',
    ['kept-aside'],
  ),
  inJson(
    'external edit: no directory sync behind a kept edit',
    'external-edit',
    '  await fileSystem.syncDirectory(layout.externalEdits);\n',
    '',
    ['kept-aside'],
  ),
  inJson(
    'recovery: what a killed process renamed is not synced',
    'recovery',
    '  await fileSystem.syncDirectory(layout.tandem);\n',
    '',
    ['killed-then-cut'],
  ),
  inJson(
    'recovery: checkpoint files that a killed process renamed are not synced',
    'recovery',
    '  await fileSystem.syncDirectory(layout.directory);\n',
    '',
    ['killed-then-cut'],
  ),
];
