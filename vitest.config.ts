import { configDefaults, defineConfig } from 'vitest/config';

/** Drills take minutes: `npm run drill:failpoints` runs them, an ordinary run leaves them out. */
const drills = process.env.TANDEM_DRILLS === undefined ? ['e2e/drills/**'] : [];

export default defineConfig({
  test: {
    exclude: [...configDefaults.exclude, ...drills],
    globalSetup: ['packages/embedded-postgres/src/test-server.ts'],
    include: ['{apps,packages}/*/src/**/*.test.ts', '{bench,e2e,scripts}/**/*.test.ts'],
    // Most of a test here is waiting (for a sync, a server, a process): more files at once than cores.
    maxWorkers: 3,
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
