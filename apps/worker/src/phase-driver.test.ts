import { CatchUpWatch } from '@tandem/storage/consistency';
import { TandemError } from '@tandem/storage/errors';
import { silentLog } from '@tandem/storage/log';
import { noObserver } from '@tandem/storage/observer';
import type { Phase } from '@tandem/storage/phase';
import { consistencyOrders, divergenceLedger } from '@tandem/storage/postgres';
import { chainOf, create, type DualStores, openDualStores, until } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { PhaseDriver } from './phase-driver.ts';
import { keepPostgresConsistent } from './postgres-consistency.ts';

/** Of a worker alone, whose flags ask for a phase. */
function driverOf(dual: DualStores, desired: Phase): PhaseDriver {
  const { json, store: postgres, queues, collections } = dual;
  return new PhaseDriver({
    ...{ json, postgres, queues, collections, log: silentLog, watch: new CatchUpWatch(silentLog) },
    processes: { live: async () => [] },
    signal: new AbortController().signal,
    desiredBy: () => desired,
    observer: noObserver,
  });
}

test('I3: a commit that a failed disk came back with is let go of, although PostgreSQL is away by then', async () => {
  const dual = await openDualStores('postgres-primary');
  onTestFinished(() => dual.drop());
  const { json, store } = dual;
  const away = async () => {
    throw new TandemError('unavailable', 'PostgreSQL is away.');
  };
  let isAway = false;
  const read = async () => (isAway ? away() : store.phase.read());
  const phase = { ...store.phase, read, acquaintance: away };
  const driver = driverOf({ ...dual, store: { ...store, phase } }, 'json-primary');
  isAway = true;
  driver.sawSeal();
  expect(await driver.drive('json-primary')).toBe(false);
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  expect(await driver.drive('json-primary')).toBe(true);
});

test('a move to postgres-only is done although the queue keeps what nobody needs', async () => {
  const dual = await openDualStores('postgres-primary');
  onTestFinished(() => dual.drop());
  const { store: postgres, pool } = dual;
  await create(postgres);
  await pool.query(`
    CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'kept'; END $$;
    CREATE TRIGGER kept BEFORE DELETE ON pgboss.job FOR EACH ROW EXECUTE FUNCTION kept()`);
  const driver = driverOf(dual, 'postgres-only');
  expect(await driver.drive('postgres-only')).toBe(true);
  expect(driver.waitingFor).toBeNull();
  expect(await postgres.phase.read()).toMatchObject({ phase: 'postgres-only', epoch: 3 });
});

test('I6: JSON is not said to hold all that PostgreSQL had while a change of it is a dead letter', async () => {
  const dual = await openDualStores('postgres-primary');
  onTestFinished(() => dual.drop());
  const { json, pool } = dual;
  const driver = driverOf(dual, 'postgres-primary');
  const followedUntil = () => json.phase.read().followedUntil;
  await dual.bury('json', chainOf(1, 1));
  await driver.noteFollowed('now');
  expect(followedUntil()).toBeUndefined();
  await pool.query('DELETE FROM pgboss.job');
  await driver.noteFollowed('now');
  expect(followedUntil()).toEqual(expect.any(String));
});

test('a verify calls nothing divergent that the end of dual write leaves behind', async () => {
  const dual = await openDualStores('postgres-primary');
  onTestFinished(() => dual.drop());
  const { json, store: postgres, queues, collections, pool } = dual;
  await create(postgres);
  const orders = consistencyOrders(pool);
  const what = { kind: 'verify', mode: 'full' } as const;
  const id = await orders.place({ what, actor: 'ann', reason: 'to see' });
  const keeper = keepPostgresConsistent({
    ...{ json, postgres, queues, collections, log: silentLog },
    verifySchedule: { changedMs: null, fullMs: null },
    backfill: () => Promise.reject(new Error('Nobody asks for it here.')),
  });
  onTestFinished(() => keeper.stop());
  await until('it waits for the change that is on its way', async () => {
    const { rows } = await pool.query('SELECT FROM verify_runs');
    return rows.length === 1;
  });
  const driver = driverOf(dual, 'postgres-only');
  expect(await driver.drive('postgres-only')).toBe(true);
  await until('the verify has ended', async () => (await orders.read(id))?.state !== 'taken');
  expect(await divergenceLedger(pool).find({}, { limit: 5 })).toEqual([]);
  expect(await orders.read(id)).toMatchObject({ state: 'failed' });
});
