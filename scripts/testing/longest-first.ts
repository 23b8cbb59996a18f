import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** Files that take a quarter of a minute or more, the longest first. vitest takes the largest for the
 *  longest, and these are small: begun last, the rest of the workers would wait for them. */
export const LONG: readonly string[] = [
  'e2e/console.test.ts',
  'bench/bench.test.ts',
  'e2e/crash.test.ts',
  'e2e/switch-outage.test.ts',
  'e2e/demo.test.ts',
  'e2e/phases.test.ts',
  'e2e/transition-guide.test.ts',
  'e2e/live-switch.test.ts',
  'e2e/switch-crash.test.ts',
  'e2e/runbook.test.ts',
  'e2e/lost-json-folder.test.ts',
  'packages/storage/src/json/fault-sweep.test.ts',
  'packages/storage/src/json/corruption-sweep.test.ts',
  'packages/storage/src/postgres/statement-faults.test.ts',
  'packages/storage/src/postgres/store-contract.test.ts',
  'packages/storage/src/json/killed-then-cut.test.ts',
  'packages/storage/src/json/crash-sweep.test.ts',
  'packages/storage/src/postgres/flag-watch.test.ts',
  'packages/storage/src/consistency/verify-live.test.ts',
  'packages/storage/src/json/json-store-model.test.ts',
  'apps/worker/src/worker.test.ts',
];

const rank = ({ moduleId }: TestSpecification): number => {
  const index = LONG.findIndex((file) => moduleId.endsWith(file));
  return index < 0 ? LONG.length : index;
};

/** The long files first, then as vitest does it. */
export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    return (await super.sort(files)).sort((a, b) => rank(a) - rank(b));
  }
}
