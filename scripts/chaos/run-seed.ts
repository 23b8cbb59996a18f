import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { root } from '../root.ts';
import { runSuite } from '../testing/run-suite.ts';

/** Starting, becoming quiet and checking, beside the schedule itself. */
const AROUND_SECONDS = 300;
/** A round's healing and checking, against its length. */
const STRETCH = 3;

export interface SeedOptions {
  readonly seed: number;
  readonly seconds: number;
  /** What the run leaves is in a folder of the seed's name in it. */
  readonly folder: string;
  /** The work tree; this one unless told. */
  readonly tree?: string;
  readonly output?: 'inherit' | 'ignore';
}

/** Whether a Ctrl-C came: `runSuite` ends its run by it, and no other is to begin. */
let isInterrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    isInterrupted = true;
  });
}

/** Runs the campaign with one seed. @throws {Error} when it was interrupted */
export async function runSeed(
  options: SeedOptions,
): Promise<{ readonly passed: boolean; readonly folder: string }> {
  const { seed, seconds, tree = root, output = 'inherit' } = options;
  const folder = join(options.folder, String(seed));
  rmSync(folder, { recursive: true, force: true });
  const suite = {
    name: `chaos, seed ${seed}`,
    files: ['e2e/chaos/campaign.test.ts'],
    budgetSeconds: seconds * STRETCH + AROUND_SECONDS,
    environment: {
      TANDEM_SEED: String(seed),
      TANDEM_CHAOS_SECONDS: String(seconds),
      TANDEM_CHAOS_FOLDER: options.folder,
    },
  };
  const { failed } = await runSuite(suite, { folder: tree, output });
  if (isInterrupted) throw new Error('It was interrupted.');
  if (output === 'inherit') for (const what of failed) console.log(`failed: ${what}`);
  return { passed: failed.length === 0, folder };
}
