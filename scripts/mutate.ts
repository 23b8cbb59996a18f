// npm run mutate [-- PART OF A NAME]
//
// Takes one line of protection away at a time, in a copy of the work tree, and shows that some test
// fails for each: every fsync and directory sync of the JSON store, every check of an epoch, a version,
// a checksum and a commit line. The last line is the result; the status is 1 when a mutant survived.
import { CHECK_MUTANTS } from './mutation/check-mutants.ts';
import { EDIT_MUTANTS } from './mutation/edit-mutants.ts';
import { SYNC_MUTANTS } from './mutation/sync-mutants.ts';
import { failureOf, isKilled } from './mutation/try-mutant.ts';
import { copyWorkTree } from './mutation/work-copy.ts';

const [wanted = ''] = process.argv.slice(2);
const all = [...SYNC_MUTANTS, ...CHECK_MUTANTS, ...EDIT_MUTANTS];
const mutants = all.filter(({ name }) => name.includes(wanted));
const copy = copyWorkTree();
let killed = 0;
try {
  const alone = new Set(mutants.filter((one) => !one.needsPostgres).flatMap(({ tests }) => tests));
  const others = new Set(mutants.filter((one) => one.needsPostgres).flatMap(({ tests }) => tests));
  for (const [tests, needsPostgres] of [
    [alone, false],
    [others, true],
  ] as const) {
    if (tests.size === 0) continue;
    const failure = failureOf(copy, [...tests], needsPostgres);
    if (failure === undefined) continue;
    console.error(failure);
    throw new Error('Tests fail before anything was taken away; that would kill any mutant.');
  }
  for (const mutant of mutants) {
    const started = performance.now();
    const dead = isKilled(copy, mutant);
    if (dead) killed++;
    const seconds = ((performance.now() - started) / 1000).toFixed(0);
    console.log(`${dead ? 'killed  ' : 'SURVIVED'} ${mutant.name} (${seconds} s)`);
  }
} finally {
  copy.remove();
}
console.log(`${mutants.length} mutants, ${killed} killed`);
process.exitCode = killed === mutants.length ? 0 : 1;
