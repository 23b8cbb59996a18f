// A mutant whose line was rewritten takes nothing away any more: it is found here, and not by whoever runs
// the campaign next.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { MUTANTS as CHAOS_MUTANTS } from '../chaos/mutants.ts';
import { root } from '../root.ts';
import { CHECK_MUTANTS } from './check-mutants.ts';
import { EDIT_MUTANTS } from './edit-mutants.ts';
import { SYNC_MUTANTS } from './sync-mutants.ts';

const all = [...SYNC_MUTANTS, ...CHECK_MUTANTS, ...EDIT_MUTANTS];

test.each([...all, ...CHAOS_MUTANTS])('$name: its line stands once', ({ file, find }) => {
  expect(readFileSync(join(root, file), 'utf8').split(find)).toHaveLength(2);
});

test.each(all)('$name: its tests are there', ({ tests }) => {
  expect(tests.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
