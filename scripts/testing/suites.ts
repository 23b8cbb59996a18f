import { existsSync } from 'node:fs';

/** A set of test files that vitest runs as one, against one PostgreSQL of its own. */
export interface Suite {
  readonly name: string;
  /** Paths or folders from the root, as vitest's file filters. */
  readonly files: readonly string[];
  /** Files among them that are left out, as globs. */
  readonly except?: readonly string[];
  /** Wall time after which the suite is ended and counted as failed. */
  readonly budgetSeconds: number;
  readonly environment?: Readonly<Record<string, string>>;
  /** Why this suite can't run on this machine; `undefined` when it can. */
  readonly missing?: () => string | undefined;
}

const POSTGRES_15 = '/usr/lib/postgresql/15/bin';

/** All suites together, with the checks; then the one that is running is ended, and fails. */
export const SECONDS_MAX = 14.9 * 60;

/** All suites. A budget is nearly twice what the suite takes on two quiet cores. */
export const SUITES: readonly Suite[] = [
  { name: 'packages', files: ['packages/'], budgetSeconds: 250 },
  { name: 'apps', files: ['apps/'], budgetSeconds: 100 },
  { name: 'scripts', files: ['scripts/'], budgetSeconds: 30 },
  {
    // What speaks SQL, once more on the oldest PostgreSQL that is supported; not what is about a lost
    // connection, or about passing time.
    name: 'PostgreSQL 15',
    files: ['packages/storage/src/postgres/', 'packages/storage/src/replication/'],
    except: ['**/statement-faults.test.ts', '**/flag-watch.test.ts', '**/outage.test.ts'],
    budgetSeconds: 70,
    environment: { TANDEM_TEST_PG_BIN: POSTGRES_15 },
    missing: () =>
      existsSync(`${POSTGRES_15}/postgres`) ? undefined : `there is no ${POSTGRES_15}`,
  },
  // The bench, which only shows that it works, waits most of the time: others run meanwhile.
  { name: 'end to end', files: ['e2e/', 'bench/'], budgetSeconds: 400 },
  {
    // Its checker and its schedule are tested with the others.
    name: 'chaos',
    files: ['e2e/chaos/campaign.test.ts'],
    budgetSeconds: 180,
    environment: { TANDEM_CHAOS_SECONDS: '90', TANDEM_SEED: '221' },
  },
];

/** @param spentSeconds by the suites before it */
export function withinTheRest(suite: Suite, spentSeconds: number): Suite {
  const rest = Math.max(0, SECONDS_MAX - spentSeconds);
  return { ...suite, budgetSeconds: Math.min(suite.budgetSeconds, rest) };
}
