import { expect, test } from 'vitest';
import type { Change } from '../changes/index.ts';
import { bringUpToDate } from '../consistency/index.ts';
import { silentLog } from '../log.ts';
import { openDualStores } from '../testing/dual-stores.ts';
import { changeOf, expense, run, setOf, valuesOf } from '../testing/store-fixture.ts';
import { countDeadLetters, pageDeadLetters } from './dead-letters.ts';
import { retireSuperseded } from './retire-superseded.ts';

/** More than two pages of letters, two for each record. */
const RECORDS = 600;
const BEHIND = 25;

test.each(['postgres', 'json'] as const)(
  'I4: letters towards %s retire once their record has moved on there, by no job at all',
  async (direction) => {
    const towardsPostgres = direction === 'postgres';
    const dual = await openDualStores(towardsPostgres ? 'json-primary' : 'postgres-primary');
    try {
      const { pool, collections, json, store } = dual;
      const [primary, secondary] = towardsPostgres ? [json, store] : [store, json];
      const outcomes = await Promise.all(
        Array.from({ length: RECORDS }, (_, index) =>
          run(primary, {
            op: 'create',
            collection: expense,
            values: valuesOf({ notes: `${index}` }),
          }),
        ),
      );
      // The jobs of a PostgreSQL primary: here they are as if they had died long ago.
      await pool.query('DELETE FROM pgboss.job');
      const first: Change[] = outcomes.flatMap((outcome) => {
        if (outcome.kind !== 'created') throw new Error('Not created.');
        const { id, epoch, version, text } = outcome;
        return [changeOf(id, { epoch, version }, null, text)];
      });
      await dual.bury(direction, first);
      await dual.bury(direction, first);
      const options = { pool, direction, store: secondary, collections, log: silentLog };
      expect(await retireSuperseded(options)).toBe(0);

      const ids = first.map(({ id }) => id);
      const moved = ids.slice(BEHIND);
      await Promise.all(
        moved.map((id, index) =>
          index % 3 === 0
            ? run(primary, { op: 'delete', collection: expense, id })
            : run(primary, { op: 'update', collection: expense, id, set: setOf({ notes: 'new' }) }),
        ),
      );
      await pool.query(`DELETE FROM pgboss.job WHERE name NOT LIKE '%-dead'`);
      const [one] = first;
      if (one === undefined) throw new Error('There is no change.');
      const conflict = { ...one, record: one.record?.replace('"0"', '"theirs"') ?? null };
      await dual.bury(direction, [conflict], () => ({ cause: 'conflict', error: 'other content' }));

      const { applied, remaining } = await bringUpToDate({
        ...{ source: primary, target: secondary, collections },
      });
      expect({ applied, remaining }).toEqual({ applied: RECORDS, remaining: 0 });
      // Those that have not moved on hold their letters' own state: they have nothing to say either.
      expect(await retireSuperseded(options)).toBe(2 * RECORDS);
      // Sides of a disagreement stay.
      expect(await pageDeadLetters(pool, {})).toMatchObject({
        ...{ total: 1, letters: [{ cause: 'conflict' }] },
      });
      expect(await retireSuperseded(options)).toBe(0);
      expect(await countDeadLetters(pool, { direction })).toBe(1);
    } finally {
      await dual.drop();
    }
  },
);
