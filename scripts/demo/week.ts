// The transition guide as one week: the same steps, the same commands, with clients at work all the time.
import { setTimeout as sleep } from 'node:timers/promises';
import { type Household, startHousehold } from './household.ts';
import type { Installation } from './installation.ts';

export interface Pace {
  /** Records in the legacy file besides the sample's. */
  readonly records: number;
  readonly clients: number;
  /** Between two records of a client, ms. */
  readonly pauseMs: number;
  /** How long each day lasts beside what happens in it, ms. */
  readonly dayMs: number;
}

/** A real week has room for thought. */
export const PACES = {
  slow: { records: 5_000, clients: 8, pauseMs: 50, dayMs: 12_000 },
  fast: { records: 200, clients: 2, pauseMs: 100, dayMs: 300 },
} as const satisfies Record<string, Pace>;

/** The sample's records, which have every oddity, and many ordinary ones. */
export const legacyRecords =
  ({ records }: Pace) =>
  (sample: object[]): object[] => [
    ...sample,
    ...Array.from({ length: records }, (_, n) => ({
      id: 100 + n,
      date: `2025-${String((n % 11) + 1).padStart(2, '0')}-${String((n % 28) + 1).padStart(2, '0')}`,
      business: n % 3 === 0 ? null : `Shop ${n % 41}`,
      category: ['Groceries', 'Transport', 'Rent', 'Books'][n % 4],
      amount: ((n * 7_919) % 50_000) / 100,
      account: n % 2 === 0 ? 'Card' : 'Cash',
      currency: '₪',
      notes: null,
    })),
  ];

/** The record of the sample whose date is none. */
const POISONED = 9;

/**
 * Tells the week, and lives it.
 * @param onFriday awaited when Phase 4 has been left and entered again
 * @returns the sentence to close with; whether all went well
 */
export async function liveAWeek(
  tandem: Installation,
  pace: Pace,
  say: (text: string) => void,
  { signal, onFriday }: { readonly signal: AbortSignal; readonly onFriday: () => Promise<void> },
): Promise<{ sentence: string; isGood: boolean }> {
  const day = (name: string, what: string) =>
    say(`\n── ${name}: ${what} ${'─'.repeat(Math.max(3, 60 - name.length - what.length))}`);
  const run = async (...args: string[]) => {
    say(`$ tandem ${args.map((one) => (one.includes(' ') ? `"${one}"` : one)).join(' ')}`);
    const printed = await tandem.tandem(...args);
    // The gates stand in the guide.
    say(indented(printed.replace(/\n *gate +\|.*$/s, '')));
  };
  const pass = () => sleep(pace.dayMs, undefined, { signal });

  day('Monday', 'Phase 3, JSON stays the primary');
  say('The legacy files are adopted where they lie; PostgreSQL is filled beside them.');
  const household = startHousehold(tandem.origin, pace);
  const move = async (phase: string, reason: string) => {
    household.takeLongestMs();
    const refusedBefore = household.refused;
    await run('phase', 'set', phase, '--reason', reason);
    await tandem.reached(phase);
    const longestMs = Math.round(household.takeLongestMs());
    const refused = household.refused - refusedBefore;
    say(
      `The phase is ${phase}. Clients were at work: ${refused} errors, the longest answer took ${longestMs} ms.`,
    );
  };
  try {
    await pass();
    return await theWeek();
  } finally {
    await household.stop();
  }

  async function theWeek() {
    const letters = async () =>
      (JSON.parse(await tandem.tandem('dead-letters', 'list', '--json')) as { total: number })
        .total;
    await tandem.until('The backfill', async () => (await letters()) > 0);

    day('Tuesday', 'one record that PostgreSQL can not hold');
    await run('dead-letters', 'groups');
    say(`Phase 4 would wait for it. Somebody corrects expense ${POISONED} as any client would:`);
    const corrected = await fetch(`${tandem.origin}/api/v1/expense/${POISONED}`, {
      method: 'PATCH',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ field: 'date', value: '2025-02-28' }),
    });
    say(
      `$ curl -X PATCH …/expense/${POISONED} -d '{"field":"date","value":"2025-02-28"}'\n  ${corrected.status}`,
    );
    await tandem.until('The repair', async () => (await letters()) === 0);
    say('Its next version retired the dead letter.');
    await pass();

    day('Wednesday', 'are the stores the same?');
    await run('verify', '--full');
    await pass();

    day('Thursday', 'Phase 4, PostgreSQL becomes the primary');
    await move('postgres-primary', 'Phase 4 of the plan');
    say(`The log says: ${messageOf(tandem.logged(/writes waited/))}`);
    await pass();

    day('Friday', 'the rollback drill');
    await move('json-primary', 'Rollback drill');
    await move('postgres-primary', 'The drill is over');
    await run('verify', '--full');
    await pass();
    await onFriday();

    day('Saturday', 'Phase 5, PostgreSQL alone');
    await move('postgres-only', 'Phase 5');
    await pass();

    day('Sunday', 'what became of every write');
    return closing(household);
  }
}

async function closing(household: Household): Promise<{ sentence: string; isGood: boolean }> {
  const missing = await household.missing();
  const { acknowledged, refused } = household;
  return {
    isGood: missing === 0 && refused === 0,
    sentence: `${acknowledged.toLocaleString('en')} writes were acknowledged in five changes of phase; ${missing} are missing, ${refused} requests failed.`,
  };
}

const indented = (text: string): string => text.trimEnd().replaceAll(/^(?=.)/gm, '  ');

/** What a line of the log says, without when and who. */
const messageOf = (line: string | undefined): string =>
  line === undefined ? 'nothing yet.' : line.replace(/^.*?(?:INFO|WARN)\S*:? */, '');
