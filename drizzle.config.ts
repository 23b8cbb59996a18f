import { defineConfig } from 'drizzle-kit';

/** `drizzle-kit generate` writes the next migration from these tables. */
export default defineConfig({
  dialect: 'postgresql',
  schema: [
    './packages/storage/src/collections/definitions/*.ts',
    './packages/storage/src/postgres/system-tables.ts',
  ],
  out: './migrations',
});
