import { expect, onTestFailed, test } from 'vitest';
import { seedOf } from '../testing/seeded-random.ts';
import { faultSweep } from '../testing/sweeps/fault-sweep.ts';

/** The time there is for it; far more than it takes, so that a busy machine does not fail it. */
const BUDGET_MS = 280_000;
/** Actions behind the fixed beginning, which reaches every part of the store. */
const LENGTH = 2;

test('I1, I2, I11: whichever call fails, once or for good, nothing acknowledged is lost and reads go on', {
  timeout: BUDGET_MS,
}, async () => {
  const seed = seedOf();
  onTestFailed(() => console.error(`npm run sweep -- fault --seed ${seed} --length ${LENGTH}`));
  const sweep = await faultSweep({ seed, workloads: 1, length: LENGTH });
  expect(sweep.violations).toEqual([]);
  expect(sweep.runs).toBeGreaterThan(500);
  console.log(
    `fault sweep: ${sweep.faults} faults in ${sweep.runs} runs, then ${sweep.cuts} power cuts, seed ${seed}; 0 acknowledged writes lost`,
  );
});
