// A process killed at a failpoint of a switch, under load. An ordinary run takes a few by seed;
// TANDEM_DRILLS=all (npm run drill:failpoints) takes all of them, TANDEM_DRILLS=promote takes those whose
// name has that, TANDEM_DRILLS=:outage those in which PostgreSQL is away for a while.
import { seedOf } from '@tandem/storage/testing';
import { expect, test } from 'vitest';
import { DRILLS, OUTAGES, runDrill } from './switch-drill.ts';

const SAMPLE_SIZE = 2;
const DRILL_TIMEOUT_MS = 180_000;

const seed = seedOf();
const asked = process.env.TANDEM_DRILLS;

const nameOf = ({ failpoint, victim }: (typeof DRILLS)[number]): string => `${failpoint}:${victim}`;

/** Evenly over the list, so that every sample has drills of both directions; the seed shifts it. */
const sample = Array.from(
  { length: SAMPLE_SIZE },
  (_, index) =>
    DRILLS[(seed + Math.floor((index * DRILLS.length) / SAMPLE_SIZE)) % DRILLS.length] ?? DRILLS[0],
).filter((drill) => drill !== undefined);

const chosen =
  asked === undefined
    ? sample
    : asked === 'all'
      ? DRILLS
      : [...DRILLS, ...OUTAGES].filter((drill) => nameOf(drill).includes(asked));

test('every failpoint has its drill', () => {
  expect(chosen).not.toEqual([]);
});

test.for(chosen.map((drill) => ({ ...drill, name: nameOf(drill) })))(
  `I3, I6: the end of a process at $name (TANDEM_SEED=${seed})`,
  { timeout: DRILL_TIMEOUT_MS },
  async (drill) => {
    const { longestMs, acknowledged, refused } = await runDrill(drill);
    const answers = JSON.stringify(refused);
    console.log(
      `${drill.name}: ${acknowledged} acknowledged, longest request ${Math.round(longestMs)} ms, other answers ${answers}`,
    );
  },
);
