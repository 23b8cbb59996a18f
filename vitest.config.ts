import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    globalSetup: ['packages/embedded-postgres/src/test-server.ts'],
    include: ['{apps,packages}/*/src/**/*.test.ts', '{bench,e2e,scripts}/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
