import { expect, onTestFailed, test } from 'vitest';
import { seedOf } from '../testing/seeded-random.ts';
import { corruptionSweep, ENDINGS } from '../testing/sweeps/corruption-sweep.ts';

/** The time there is for each; far more than it takes, so that a busy machine does not fail it. */
const BUDGET_MS = 180_000;
const SMALL_BYTES = 4 << 10;
const LARGE_BYTES = 64 << 10;
/** Of the bits and lengths of the large store; `npm run sweep -- corruption` takes all. */
const LARGE_SHARE = 0.004;

test.each([
  ...ENDINGS.map((ending) => ({ ending, bytes: LARGE_BYTES, share: LARGE_SHARE })),
  { ending: 'closed' as const, bytes: SMALL_BYTES, share: 0.2 },
  { ending: 'idle' as const, bytes: SMALL_BYTES, share: 0.2 },
  { ending: 'at-once' as const, bytes: SMALL_BYTES, share: 1 },
])(
  'I12: a flipped bit or a cut file ($bytes bytes, $ending) is the whole history or a refusal',
  { timeout: BUDGET_MS },
  async ({ ending, bytes, share }) => {
    const seed = seedOf();
    onTestFailed(() => console.error(`npm run sweep -- corruption --seed ${seed}`));
    const sweep = await corruptionSweep({ seed, bytes, ending, share });
    expect(sweep.violations).toEqual([]);
    expect(sweep.flips).toBeGreaterThan(1_000);
    if (ending !== 'at-once') expect(sweep.indistinguishable).toBe(0);
    console.log(
      `corruption sweep, ${ending}: ${sweep.flips} bits flipped and ${sweep.truncations} truncations of ${sweep.bytes} bytes, ${sweep.refused} refused, seed ${seed}; 0 silently different stores`,
    );
  },
);
