import { join } from 'node:path';
import type { Profile } from '../profile.ts';
import { type Result, result, spellAll } from '../result.ts';
import { makeStore } from '../stores/large-store.ts';
import { OpenedStore } from '../stores/opened-store.ts';
import { inTurns, ratiosOf } from '../turns.ts';

/** Of the profile's records: two, so that it shows how the cost grows. */
const SHARES = { full: [0.1, 1], quick: [1] } as const;

/** Taking a store over with a follower's memory, over reading all of it. */
export async function takeOver(profile: Profile, folder: string): Promise<Result[]> {
  const results: Result[] = [];
  for (const share of SHARES[profile.name]) {
    const records = Math.round(profile.records * share);
    const directory = await makeStore(join(folder, `take-over-${records}`), records);
    const delays: number[] = [];
    const openedMs = async (warmth: 'cold' | 'warm'): Promise<number> => {
      const store = await OpenedStore.open(directory, warmth);
      await store.close();
      if (warmth === 'warm') delays.push(store.followingDelayMs);
      return store.openedMs;
    };
    const measured = await inTurns(profile.longTurns, {
      warm: () => openedMs('warm'),
      cold: () => openedMs('cold'),
    });
    results.push(
      result(
        `taking over a store of ${records.toLocaleString('en')} records warm, over opening it cold`,
        { relation: '≤', value: 0.2 },
        ratiosOf(measured.warm, measured.cold),
        `warm ${spellAll(measured.warm, ' ms')}; cold ${spellAll(measured.cold, ' ms')}; longest delay of the event loop while it began to follow ${spellAll(delays, ' ms')}`,
      ),
    );
  }
  return results;
}
