import { expect, test, vi } from 'vitest';
import { query } from '../record-client.ts';
import { confirm, expectGoodLooks, said, TIMEOUT_MS } from './looks.ts';
import { goTo, type Stage } from './stage.ts';

const WAIT = { timeout: 30_000, interval: 100 };
const BOTH_FALSE = { FF_USE_DATABASE_STORAGE: 'false', FF_DUAL_WRITE_ENABLED: 'false' };

/** What the page shows while what is behind it is away. The last ones: they end the api. */
export function outageTests(stage: Stage): void {
  test('the api is killed: the last data stays, marked as old; it is back: fresh, without signing in', async () => {
    const { page } = await stage.signedIn();
    await stage.system.killApi();
    await page.getByRole('alert').getByText('The API can not be reached.').waitFor();
    await page.locator('[data-stale=yes]').waitFor();
    await page.locator('[aria-current=step]').getByText('json-primary').waitFor();
    await stage.system.startApi();
    await page.locator('[data-stale=no]').waitFor();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('PostgreSQL is away: the page says so, and goes on with what the api knows alone', async () => {
    const { page } = await stage.signedIn();
    stage.system.cutDatabase();
    const alert = page.getByRole('alert').filter({ hasText: 'as it was before' });
    await alert.waitFor();
    await page.locator('[data-stale=no]').waitFor();
    stage.system.restoreDatabase();
    await alert.waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('an order that no process takes waits, and is withdrawn', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { system } = stage;
    await system.reach('postgres-primary');
    const { page, complaints } = await stage.signedIn();
    const worker = page
      .getByRole('table', { name: 'Processes' })
      .getByRole('row', { name: /^worker \d+ on \S+ ready postgres-primary / });
    await worker.waitFor();
    await system.stopWorker();
    await goTo(page, 'Consistency');
    await page.getByRole('button', { name: 'Compare everything' }).click();
    await confirm(page, 'Compare', 'Nobody is there.');
    const ordered = page
      .getByRole('table', { name: 'What was ordered' })
      .getByRole('row')
      .filter({ hasText: 'Nobody is there.' });
    await ordered.getByText('waits for a process').waitFor();
    // A dry run whose page was closed is left to be withdrawn; one goes with the dialog that asked for it.
    const dryRun = { collection: 'expense', id: 1, dryRun: true, reason: 'The page was closed.' };
    await system.operator('POST', '/repair', dryRun);
    const left = page.getByRole('row').filter({ hasText: 'The page was closed.' });
    await left.getByText('dry run: repair expense 1').waitFor();
    await left.getByRole('button', { name: 'Withdraw' }).click();
    await confirm(page, 'Withdraw', 'Nobody is there.');
    await said(page, /^Order \d+ is withdrawn\.$/);
    await left.waitFor({ state: 'detached' });

    await ordered.getByRole('button', { name: 'Withdraw' }).click();
    await confirm(page, 'Withdraw', 'Once the worker is back.');
    await ordered.getByText('withdrawn').waitFor();
    expect(await ordered.getByRole('button').count()).toBe(0);

    const differing = `SELECT id FROM verify_runs WHERE outcome = 'differences' LIMIT 1`;
    const [run] = await query(system.databaseUrl, differing);
    await page.goto(`${system.origin}/console#/consistency/runs/${run?.id}`);
    await page.getByRole('button', { name: 'Repair what it found' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel' }).click();
    const waiting = `SELECT 1 FROM consistency_orders WHERE state = 'waiting'`;
    await vi.waitUntil(async () => (await query(system.databaseUrl, waiting)).length === 0, WAIT);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('I6: the emergency brake stands above every page; what the environment locks is not changed here', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { system } = stage;
    await system.killApi();
    system.cutDatabase();
    await system.startApi(BOTH_FALSE);
    const { page, complaints } = await stage.signedIn();
    const brake = page.getByRole('alert').filter({ hasText: 'EMERGENCY BRAKE' });
    await brake.getByText('JSON may lack what it acknowledged').waitFor();
    await goTo(page, 'Consistency');
    await brake.waitFor();
    // What nobody knows now is no good news.
    expect(await page.getByText('not known while PostgreSQL is away').count()).toBe(4);
    expect(await page.getByText('none is known').count()).toBe(0);
    await goTo(page, 'Phase');
    const flag = page
      .getByRole('table', { name: 'Flags' })
      .getByRole('row')
      .filter({ hasText: 'USE_DATABASE_STORAGE' });
    await flag.getByRole('cell', { name: 'environment', exact: true }).waitFor();
    await flag.getByText('FF_USE_DATABASE_STORAGE is set.').waitFor();
    await flag.getByText('No: the environment of a process locks it.').waitFor();
    const waits = page.getByText('PostgreSQL to return, so that what it alone holds').first();
    await waits.waitFor();
    await expectGoodLooks(page, 'the brake');

    system.restoreDatabase();
    await brake.waitFor({ state: 'detached' });
    await waits.waitFor({ state: 'detached' });
    const ahead = page.getByRole('region', { name: /^The next phase/ });
    await ahead.getByText('locked').waitFor();
    await ahead.getByText(/ is set for api \d+ on .*Start the process without it/).waitFor();
    await ahead.getByRole('button', { name: /^Switch to/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog
      .getByRole('alert')
      .getByText(/can't be set: FF_/)
      .waitFor();
    await dialog.getByLabel('Reason').fill('All the same.');
    expect(await dialog.getByRole('button', { name: /^Ask for/ }).isDisabled()).toBe(true);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
}
