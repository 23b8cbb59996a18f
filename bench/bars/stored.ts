import { join } from 'node:path';
import type { Profile } from '../profile.ts';
import { type Result, result, spellAll } from '../result.ts';
import { makeStore } from '../stores/large-store.ts';
import { OpenedStore } from '../stores/opened-store.ts';
import { inTurns, ratiosOf } from '../turns.ts';
import { WRITERS } from './group-commit.ts';

/** Writing must not cost more because much is stored. */
export async function stored(profile: Profile, folder: string): Promise<Result[]> {
  const large = await OpenedStore.open(
    await makeStore(join(folder, 'stored-large'), profile.records),
  );
  const empty = await OpenedStore.open(await makeStore(join(folder, 'stored-empty'), 0));
  const perSecond = async (store: OpenedStore): Promise<number> => {
    const { written } = await store.ask({
      kind: 'write',
      writers: WRITERS,
      work: { op: 'create' },
      ms: profile.turnMs,
    });
    if (written === undefined) throw new Error('Nothing was written.');
    return written.perSecond;
  };
  for (const store of [large, empty]) await perSecond(store);
  const measured = await inTurns(profile.turns, {
    large: () => perSecond(large),
    empty: () => perSecond(empty),
  });
  await large.close();
  await empty.close();
  const unit = ' records/s';
  return [
    result(
      `throughput with ${profile.records.toLocaleString('en')} records stored, over that with 0`,
      { relation: '≥', value: 0.9 },
      ratiosOf(measured.large, measured.empty),
      `${spellAll(measured.large, unit)}; empty at first ${spellAll(measured.empty, unit)}`,
    ),
  ];
}
