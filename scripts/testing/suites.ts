import { existsSync } from 'node:fs';

/** A set of test files that vitest runs as one, against one PostgreSQL of its own. */
export interface Suite {
  readonly name: string;
  /** Paths or folders from the root, as vitest's file filters. */
  readonly files: readonly string[];
  /** Files below them that are commands of their own. */
  readonly excluded?: readonly string[];
  /** Wall time after which the suite is ended and counted as failed. */
  readonly budgetSeconds: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Why this suite can't run on this machine; `undefined` when it can. */
  readonly missing?: () => string | undefined;
}

const POSTGRES_15 = '/usr/lib/postgresql/15/bin';

/** All suites. Their budgets stay under 15 minutes together, with the checks. */
export const SUITES: readonly Suite[] = [
  { name: 'packages', files: ['packages/'], budgetSeconds: 245 },
  { name: 'apps', files: ['apps/'], budgetSeconds: 110 },
  { name: 'scripts', files: ['scripts/'], budgetSeconds: 30 },
  { name: 'bench', files: ['bench/'], budgetSeconds: 50 },
  {
    name: 'end to end',
    files: ['e2e/'],
    // Campaigns of minutes, by hand: npm run chaos, and vitest run on the other two.
    excluded: ['e2e/chaos/campaign.test.ts', 'e2e/runbook.test.ts', 'e2e/demo.test.ts'],
    budgetSeconds: 380,
  },
  {
    // What speaks SQL, once more on the oldest PostgreSQL that is supported.
    name: 'PostgreSQL 15',
    files: ['packages/storage/src/postgres/', 'packages/storage/src/replication/'],
    budgetSeconds: 75,
    environment: { TANDEM_TEST_PG_BIN: POSTGRES_15 },
    missing: () =>
      existsSync(`${POSTGRES_15}/postgres`) ? undefined : `there is no ${POSTGRES_15}`,
  },
];
