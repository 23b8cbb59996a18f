import { expect, onTestFailed, test } from 'vitest';
import { seedOf } from '../testing/seeded-random.ts';
import { crashSweep } from '../testing/sweeps/crash-sweep.ts';

const STATES = 20_000;
/** The time there is for it; far more than it takes, so that a busy machine does not fail it. */
const BUDGET_MS = 280_000;

test('I1, I2, I7, I9, I10: at every moment a crash leaves a prefix with every acknowledged write', {
  timeout: BUDGET_MS,
}, async () => {
  const seed = seedOf();
  onTestFailed(() => console.error(`npm run sweep -- crash --seed ${seed}`));
  const { violations, states, points, workloads } = await crashSweep({ seed, states: STATES });
  expect(violations).toEqual([]);
  expect(states).toBeGreaterThanOrEqual(STATES);
  console.log(
    `crash sweep: ${states} disk states at ${points} moments of ${workloads} workloads, seed ${seed}; 0 acknowledged writes lost`,
  );
});
