import { inJson, type Mutant } from './mutant.ts';

/** What keeps external edits, links and a failed stop from being passed over. */
export const EDIT_MUTANTS: readonly Mutant[] = [
  inJson(
    'edit: ids of its records are not kept before it is adopted',
    'edit-adoption',
    '  if (withIds !== edit) await writeEdit(context, withIds);\n',
    '',
    ['kept-aside'],
  ),
  inJson(
    'edit: one at rest is not noticed on demand',
    'checkpoint',
    'if (hash !== (manifest.files[name] ?? null)) return true;',
    '',
    ['external-edits'],
  ),
  {
    name: 'edit: what the primary changed since is overwritten',
    file: 'packages/storage/src/changes/differences.ts',
    find: "  if (now !== from) return 'conflict';\n",
    replace: '',
    tests: ['packages/storage/src/changes/differences.test.ts'],
  },
  {
    name: 'edit: PostgreSQL adopts it as secondary',
    file: 'packages/storage/src/postgres/adopt-differences.ts',
    find: '    requirePrimary(phase);\n',
    replace: '',
    tests: ['packages/storage/src/postgres/adopt-differences.test.ts'],
    needsPostgres: true,
  },
  inJson(
    'edit: a link in the place of a file is replaced',
    'checkpoint',
    '    if (linked !== undefined) throw linked;\n',
    '',
    ['place'],
  ),
  inJson(
    'edit: a stop does not say that the files lack something',
    'json-store',
    '    if (behind !== undefined) throw behind;\n',
    '',
    ['disk-watch'],
  ),
];
