import { defineConfig } from 'vitest/config';

/** For mutants of what needs no PostgreSQL: without the run's own server. */
export default defineConfig({
  test: { include: ['packages/storage/src/**/*.test.ts'], testTimeout: 60_000 },
});
