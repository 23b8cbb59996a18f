import { CatchUpWatch } from '@tandem/storage/consistency';
import { TandemError } from '@tandem/storage/errors';
import { silentLog } from '@tandem/storage/log';
import { noObserver } from '@tandem/storage/observer';
import { create, openDualStores } from '@tandem/storage/testing';
import { expect, onTestFinished, test } from 'vitest';
import { PhaseDriver } from './phase-driver.ts';

test('I3: a commit that a failed disk came back with is let go of, although PostgreSQL is away by then', async () => {
  const dual = await openDualStores('postgres-primary');
  onTestFinished(() => dual.drop());
  const { json, store, queues, collections } = dual;
  const away = async () => {
    throw new TandemError('unavailable', 'PostgreSQL is away.');
  };
  let isAway = false;
  const read = async () => (isAway ? away() : store.phase.read());
  const driver = new PhaseDriver({
    ...{ json, queues, collections, log: silentLog, watch: new CatchUpWatch(silentLog) },
    postgres: { ...store, phase: { ...store.phase, read, acquaintance: away } },
    processes: { live: async () => [] },
    signal: new AbortController().signal,
    desiredBy: () => 'json-primary',
    observer: noObserver,
  });
  isAway = true;
  driver.sawSeal();
  expect(await driver.drive('json-primary')).toBe(false);
  await json.phase.update({ epoch: 3, phase: 'json-primary' });
  expect(await driver.drive('json-primary')).toBe(true);
});

test('a move to postgres-only is done although the queue keeps what nobody needs', async () => {
  const dual = await openDualStores('postgres-primary');
  onTestFinished(() => dual.drop());
  const { json, store: postgres, queues, collections, pool } = dual;
  await create(postgres);
  await pool.query(`
    CREATE FUNCTION kept() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'kept'; END $$;
    CREATE TRIGGER kept BEFORE DELETE ON pgboss.job FOR EACH ROW EXECUTE FUNCTION kept()`);
  const driver = new PhaseDriver({
    ...{ json, postgres, queues, collections, log: silentLog, watch: new CatchUpWatch(silentLog) },
    processes: { live: async () => [] },
    signal: new AbortController().signal,
    desiredBy: () => 'postgres-only',
    observer: noObserver,
  });
  expect(await driver.drive('postgres-only')).toBe(true);
  expect(driver.waitingFor).toBeNull();
  expect(await postgres.phase.read()).toMatchObject({ phase: 'postgres-only', epoch: 3 });
});
