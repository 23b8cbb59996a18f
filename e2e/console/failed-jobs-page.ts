import { expect, test } from 'vitest';
import { query } from '../record-client.ts';
import { confirm, expectGoodLooks, said, TIMEOUT_MS } from './looks.ts';
import { goTo, type Stage } from './stage.ts';

/** Not of the rows that tests before have left. */
const POISON = `ALTER TABLE expenses ADD CONSTRAINT bitter CHECK (notes <> 'bitter') NOT VALID,
  ADD CONSTRAINT small CHECK (amount < 90000) NOT VALID`;
/** More than one request acts upon, each a copy of the one there is. */
const COPIED = `INSERT INTO pgboss.job (name, data, source_name, source_output, created_on)
  SELECT name, data, source_name, source_output, created_on - n * interval '1 ms'
  FROM pgboss.job, generate_series(1, 2100) AS n WHERE name LIKE '%-dead'`;
const MENDED = 'ALTER TABLE expenses DROP CONSTRAINT bitter, DROP CONSTRAINT small';

/** Dead letters: shown by kind and one by one, narrowed, put back and given up. */
export function failedJobsPageTests(stage: Stage): void {
  test('failed jobs by kind of failure, narrowed, one in detail; discarded and redriven: one, selected, all', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { system } = stage;
    const { page, complaints } = await stage.signedIn();
    await goTo(page, 'Failed jobs');
    await page.getByText('No write to the other store has failed for good.').waitFor();

    await query(system.databaseUrl, POISON);
    const poisoned = [await system.create(1, 'bitter'), await system.create(2, 'bitter')];
    const third = await system.create(3, 'bitter');
    const large = await system.create(99_999, 'large');
    const kinds = page.getByRole('table', { name: 'Failed jobs by kind of failure' });
    const letters = page.getByRole('table', { name: 'Failed jobs', exact: true });
    await kinds.getByRole('row', { name: /^3 .*"bitter"/ }).waitFor();
    await kinds.getByRole('row', { name: /^1 .*"small"/ }).waitFor();
    await page.getByText('4 letters, latest first').waitFor();
    expect(await letters.getByRole('row').count()).toBe(5);
    await expectGoodLooks(page, 'failed jobs');

    await page.getByLabel('Carries the text').fill('LARGE');
    await page.keyboard.press('Enter');
    await page.getByText('1 letter, latest first').waitFor();
    expect(page.url()).toContain('contains=LARGE');
    await page.getByLabel('Collection').selectOption('income');
    await page.getByText('No failed job matches.').waitFor();
    await page.getByRole('button', { name: 'Clear all' }).click();
    await page.getByText('4 letters, latest first').waitFor();
    await kinds
      .getByRole('row', { name: /"small"/ })
      .getByText('Show these')
      .click();
    await page.getByText('1 letter, latest first').waitFor();

    await letters.getByRole('link', { name: `Details of expense ${large}` }).click();
    await page.getByRole('heading', { name: 'The failed job' }).waitFor();
    const both = page.getByRole('table', { name: `Fields of expense ${large} in both stores` });
    await both.getByRole('row', { name: /^amount 99999 differs none/ }).waitFor();
    await page
      .getByRole('table', { name: 'Attempts' })
      .getByText(/"small"/)
      .waitFor();
    await page
      .getByRole('table', { name: 'Jobs of this record' })
      .getByText('dead letter')
      .waitFor();
    await expectGoodLooks(page, 'a failed job');
    await page.getByRole('button', { name: 'Discard …' }).click();
    await confirm(page, 'Discard 1 letter', 'It is a typing error.', 'discard 1');
    await said(page, '1 letter was given up.');
    await page.getByText('This letter is no more.').waitFor();

    await query(system.databaseUrl, MENDED);
    await page.getByRole('link', { name: 'All failed jobs' }).click();
    await page.getByLabel(`Select expense ${third}`).check();
    await page.getByRole('button', { name: 'Redrive selected' }).click();
    await page.getByRole('dialog').getByText('Would be put back into the queue').waitFor();
    await confirm(page, 'Redrive 1 letter', 'The constraint is gone.');
    await said(page, '1 letter was put back into the queue.');
    await page.getByText('2 letters, latest first').waitFor();
    await page.getByRole('button', { name: 'Redrive all' }).click();
    await confirm(page, 'Redrive 2 letters', 'So it is for the others.', 'redrive 2');
    await said(page, '2 letters were put back into the queue.');
    await page.getByText('No write to the other store has failed for good.').waitFor();
    const ids = [...poisoned, third].join();
    await expect
      .poll(() => query(system.databaseUrl, `SELECT id FROM expenses WHERE id IN (${ids})`))
      .toHaveLength(3);
    // What was given up is brought over by writing it again.
    await system.update(large, 'amount', 9);
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('more than one request acts upon: changed by another meanwhile it is shown anew, then done in steps', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { system } = stage;
    const { page, complaints } = await stage.signedIn();
    const dead = () =>
      query(system.databaseUrl, `SELECT id::text FROM pgboss.job WHERE name LIKE '%-dead'`);
    await query(system.databaseUrl, POISON);
    const id = await system.create(4, 'bitter');
    await expect.poll(dead).toHaveLength(1);
    await query(system.databaseUrl, COPIED);
    const [copy] = await dead();
    await goTo(page, 'Failed jobs');
    await page.getByText('2,101 letters, latest first').waitFor();
    await page.getByRole('button', { name: 'Discard all' }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByRole('button', { name: 'Discard 2,101 letters' }).waitFor();

    const ofAnother = { filter: { jobIds: [copy?.id] }, reason: 'One of them.', actor: 'ann' };
    await system.operator('POST', '/dead-letters/discard', ofAnother);
    await confirm(page, 'Discard 2,101 letters', 'They are copies.', 'discard 2101');
    await dialog
      .getByRole('alert')
      .getByText('2100 dead letters match, 2101 were expected')
      .waitFor();
    expect(await dialog.getByRole('button', { name: 'Discard 2,101 letters' }).isDisabled()).toBe(
      true,
    );
    expect(await dead()).toHaveLength(2_100);
    await dialog.getByRole('button', { name: 'Show what it would do now' }).click();

    // The second step is held back until the first one was seen: it would be over at once.
    const seen = Promise.withResolvers<void>();
    await page.route('**/dead-letters/discard', async (route) => {
      const { filter } = route.request().postDataJSON();
      if (filter?.olderThan !== undefined) await seen.promise;
      await route.continue();
    });
    await confirm(page, 'Discard 2,100 letters', 'They are copies.', 'discard 2100');
    await dialog.getByText('2,000 of 2,100').waitFor();
    seen.resolve();
    await said(page, '2,100 letters were given up.');
    await page.getByText('No write to the other store has failed for good.').waitFor();
    expect(await dead()).toEqual([]);
    await query(system.databaseUrl, MENDED);
    await system.update(id, 'notes', 'sweet');
    expect(complaints).toEqual([]);
    await page.context().close();
  });
}
