// npm run chaos: real processes, 32 clients, and everything that goes wrong, by a seeded schedule.
import { join } from 'node:path';
import { seedOf } from '@tandem/storage/testing';
import { expect, test } from 'vitest';
import { root } from '../tandem-process.ts';
import { runChaos } from './run.ts';

const SECONDS = Number(process.env.TANDEM_CHAOS_SECONDS ?? 75);
/** Starting, waiting for quiet, checking; the quiet has a deadline of its own. */
const AROUND_MS = 600_000;

test('I1 to I10: whatever goes wrong, nothing acknowledged is lost and both stores agree', {
  timeout: SECONDS * 1_000 * 10 + AROUND_MS,
}, async () => {
  const seed = seedOf();
  const folder = join(process.env.TANDEM_CHAOS_FOLDER ?? join(root, 'data/chaos'), String(seed));
  const violations = await runChaos({
    ...{ seed, folder, lengthMs: SECONDS * 1_000 },
    say: (text) => console.log(text),
  });
  const sentences = violations.map(({ what, lines }) => [what, ...lines].join('\n'));
  expect(sentences, `TANDEM_SEED=${seed} replays the schedule`).toEqual([]);
});
