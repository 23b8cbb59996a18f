import { expect, onTestFinished, test } from 'vitest';
import { CatchUpWatch } from '../consistency/index.ts';
import { silentLog } from '../log.ts';
import { relayCursor, storageError } from '../postgres/index.ts';
import { createQueueUpkeep, createRelayedJournal } from '../replication/index.ts';
import { openDualStores } from '../testing/dual-stores.ts';
import { create } from '../testing/store-fixture.ts';
import { meetPostgres } from './meet.ts';

const EARLIER = '2025-12-07T10:00:00.000Z';
const LATER = '2025-12-07T10:00:01.000Z';

/** Holds a catch-up at its first rest. */
class HeldWatch extends CatchUpWatch {
  readonly #rests = Promise.withResolvers<void>();
  readonly #goOn = Promise.withResolvers<void>();
  readonly rests = this.#rests.promise;
  readonly goOn = this.#goOn.resolve;

  override rest(): Promise<void> {
    this.#rests.resolve();
    return this.#goOn.promise;
  }
}

test('I2: a catch-up that outlived its dual phase does not say that the next one needs none', async () => {
  const dual = await openDualStores('json-primary');
  onTestFinished(() => dual.drop());
  const { json, store: postgres, queues, collections } = dual;
  await create(json);
  await json.phase.update({ catchUpSince: EARLIER });
  const journal = createRelayedJournal({
    ...{ outbox: json.outbox, pool: queues.pool, cursor: relayCursor },
    pairId: () => json.phase.read().pairId,
  });
  const watch = new HeldWatch(silentLog);
  const stores = { json, postgres };
  const context = {
    ...{ json, postgres, collections, watch, log: silentLog },
    queues: createQueueUpkeep({
      ...{ queues, stores, collections, journal, log: silentLog },
      operatingError: storageError,
    }),
    ...{ actor: 'test', reason: 'the test asks', now: () => new Date() },
  };
  const meeting = meetPostgres(context, journal).catch((error: unknown) => error);
  await watch.rests;
  // Dual write off and on again: what is written in between is in no outbox.
  await json.phase.update({ phase: 'json-only', epoch: 3, catchUpSince: null });
  await create(json);
  await json.phase.update({ phase: 'json-primary', epoch: 4, catchUpSince: LATER });
  watch.goOn();
  expect(await meeting).toMatchObject({ code: 'unavailable' });
  expect(json.phase.read().catchUpSince).toBe(LATER);
});
