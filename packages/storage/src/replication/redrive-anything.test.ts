// I4, the whole way: whatever died, in whatever order and however often it is put back, beside whatever
// is written meanwhile, the secondary ends as the primary is.
import { expect, test } from 'vitest';
import type { Change, Command, Outcome } from '../changes/index.ts';
import type { StoreName } from '../phase/index.ts';
import { auditLog } from '../postgres/index.ts';
import { type DualStores, openDualStores } from '../testing/dual-stores.ts';
import { below, pickOf } from '../testing/seeded-random.ts';
import {
  allEntries,
  changeOf,
  expense,
  randomFrom,
  seedOf,
  setOf,
  shuffled,
  valuesOf,
} from '../testing/store-fixture.ts';
import { until } from '../testing/until.ts';
import { actOnDeadLetters } from './dead-letter-acts.ts';
import { countDeadLetters } from './dead-letters.ts';

const STEPS = 150;
const RECORDS = 12;

/** Writes, deaths and redrives at random, many at once. */
class Chaos {
  readonly #dual: DualStores;
  readonly #direction: StoreName;
  readonly #random: () => number;
  /** Changes that were made. */
  readonly #made: Change[] = [];
  /** Letters that were put back. */
  redriven = 0;

  constructor(dual: DualStores, direction: StoreName, random: () => number) {
    this.#dual = dual;
    this.#direction = direction;
    this.#random = random;
  }

  async run(): Promise<void> {
    for (let step = 0; step < STEPS; step++) {
      const dice = this.#random();
      if (dice < 0.6) await Promise.all([this.write(), this.write(), this.write()]);
      else if (dice < 0.8) await Promise.all([this.write(), this.die()]);
      else await Promise.all([this.write(), this.redrive()]);
    }
  }

  async write(): Promise<void> {
    const dice = this.#random();
    const id = 1 + below(this.#random, RECORDS);
    const notes = `${below(this.#random, 1e9)}`;
    const command: Command =
      dice < 0.2
        ? { op: 'create', collection: expense, values: valuesOf({ notes }) }
        : dice < 0.85
          ? { op: 'update', collection: expense, id, set: setOf({ notes }) }
          : { op: 'delete', collection: expense, id };
    const { store, json } = this.#dual;
    this.#note(await (this.#direction === 'postgres' ? json : store).write({ command }));
  }

  /** Some changes come to die again: old ones, some twice, and whichever are on their way just now. */
  async die(): Promise<void> {
    const some = Array.from({ length: 1 + below(this.#random, 20) }, () =>
      this.#made.length === 0 ? [] : [pickOf(this.#random, this.#made)],
    );
    const changes = shuffled(some.flat(), this.#random);
    if (changes.length > 0) await this.#dual.bury(this.#direction, changes);
  }

  async redrive(): Promise<void> {
    const filter = pickOf(this.#random, [
      {},
      { recordId: 1 + below(this.#random, RECORDS) },
      { contains: `${below(this.#random, 10)}` },
    ]);
    const { changed } = await actOnDeadLetters('redrive', filter, {
      ...{ pool: this.#dual.pool, audit: auditLog, actor: 'test', reason: 'test' },
    });
    this.redriven += changed;
  }

  #note(outcome: Outcome): void {
    if (outcome.kind !== 'created' && outcome.kind !== 'updated') return;
    const { id, epoch, version, text } = outcome;
    const base = version === 1 ? null : { epoch, version: version - 1 };
    this.#made.push(changeOf(id, { epoch, version }, base, text));
  }
}

test.each(['postgres', 'json'] as const)(
  'I4: stale, duplicated and shuffled letters towards %s, redriven beside live writes, do no harm',
  async (direction) => {
    const seed = seedOf();
    const dual = await openDualStores(
      direction === 'postgres' ? 'json-primary' : 'postgres-primary',
    );
    try {
      const [primary, secondary] =
        direction === 'postgres' ? [dual.json, dual.store] : [dual.store, dual.json];
      if (direction === 'postgres') dual.relay();
      dual.work(direction);
      const chaos = new Chaos(dual, direction, randomFrom(seed));
      await chaos.run();
      await until('everything has arrived, or is dead', async () => (await dual.lag()) === 0);
      expect(chaos.redriven, `seed ${seed}`).toBeGreaterThan(20);
      await actOnDeadLetters(
        'redrive',
        {},
        {
          ...{ pool: dual.pool, audit: auditLog, actor: 'test', reason: 'the rest' },
        },
      );
      await until('the rest has arrived', async () => (await dual.lag()) === 0);
      expect(await countDeadLetters(dual.pool, {}), `seed ${seed}`).toBe(0);
      expect(await allEntries(secondary), `seed ${seed}`).toEqual(await allEntries(primary));
      const { rows } = await dual.pool.query('SELECT count(*)::int AS found FROM divergences');
      expect(rows, `seed ${seed}`).toEqual([{ found: 0 }]);
    } finally {
      await dual.drop();
    }
  },
);
