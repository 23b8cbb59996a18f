import { configDefaults, defineConfig } from 'vitest/config';
import { LongestFirst } from './scripts/testing/longest-first.ts';

/** Drills take minutes: `npm run drill:failpoints` runs them, an ordinary run leaves them out. */
const drills = process.env.TANDEM_DRILLS === undefined ? ['e2e/drills/**'] : [];
/** `npm run chaos`, and a suite of its own. It ends its PostgreSQL again and again, so it has its own. */
const isChaos = process.env.TANDEM_CHAOS_SECONDS !== undefined;
const chaos = isChaos ? [] : ['e2e/chaos/campaign.test.ts'];

export default defineConfig({
  test: {
    exclude: [...configDefaults.exclude, ...drills, ...chaos],
    globalSetup: isChaos ? [] : ['packages/embedded-postgres/src/test-server.ts'],
    include: ['{apps,packages}/*/src/**/*.test.ts', '{bench,e2e,scripts}/**/*.test.ts'],
    // Most of a test here is waiting (for a sync, a server, a process): more files at once than cores.
    maxWorkers: 4,
    sequence: { sequencer: LongestFirst },
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
