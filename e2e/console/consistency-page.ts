import { expect, test } from 'vitest';
import { query } from '../record-client.ts';
import { confirm, expectGoodLooks, said, TIMEOUT_MS } from './looks.ts';
import { goTo, type Stage } from './stage.ts';

/** Comparing both stores, and mending what differs. */
export function consistencyPageTests(stage: Stage): void {
  test('a comparison is started and watched; a lost record repaired, a conflict decided, the next one is clean', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { system } = stage;
    const { page, complaints } = await stage.signedIn();
    const edited = await system.create(1, 'as it was');
    const lost = await system.create(2);
    const followed = `SELECT id FROM expenses WHERE id IN (${edited}, ${lost})`;
    await expect.poll(() => query(system.databaseUrl, followed)).toHaveLength(2);
    await query(
      system.databaseUrl,
      `UPDATE expenses SET notes = 'typed' WHERE id = ${edited}; DELETE FROM expenses WHERE id = ${lost}`,
    );
    await goTo(page, 'Consistency');
    await page.getByText('No difference is open.').waitFor();
    await page.getByRole('button', { name: 'Compare what changed' }).click();
    await confirm(page, 'Compare', 'Somebody was in psql.');
    await said(page, 'The comparison is ordered.');
    const orders = page.getByRole('table', { name: 'What was ordered' });
    const ordered = orders.getByRole('row').filter({ hasText: 'Somebody was in psql.' });
    await ordered.getByRole('link', { name: 'differences' }).waitFor();
    const differences = page.getByRole('table', { name: 'Differences' });
    await differences.getByRole('row', { name: `expense ${lost} divergent` }).waitFor();
    await differences.getByRole('row', { name: `expense ${edited} conflict` }).waitFor();
    await page.getByText(/of [\d,]+ would not come back unchanged/).waitFor();
    await expectGoodLooks(page, 'consistency');

    await ordered.getByRole('link', { name: 'differences' }).click();
    await page.getByRole('heading', { name: /^Run \d+$/ }).waitFor();
    await page.getByText(`expense ${edited} different`).click();
    await page
      .getByRole('table', { name: `Both sides of expense ${edited}` })
      .getByRole('row', { name: 'notes "as it was" differs "typed"' })
      .waitFor();
    await expectGoodLooks(page, 'a run');
    await page.getByRole('button', { name: 'Repair what it found' }).click();
    const dialog = page.getByRole('dialog');
    // Which side of a conflict counts is for a person to say.
    await dialog.getByText('2 meant: 1 planned, 1 left alone.').waitFor();
    await dialog.getByText('the primary’s record is written anew').waitFor();
    await confirm(page, 'Repair 1', 'It is gone for good.');
    await said(page, 'The repair is over: 1 repaired, 1 left alone.');

    await page.getByRole('link', { name: '← Consistency' }).click();
    await differences
      .getByRole('row', { name: `expense ${edited} conflict` })
      .getByRole('link', { name: 'Both sides' })
      .click();
    await page.getByText('Somebody has to choose.').waitFor();
    await page.getByRole('button', { name: 'Keep the secondary’s side' }).click();
    await dialog.getByText('the secondary’s content is written through the primary').waitFor();
    await expectGoodLooks(page, 'a choice');
    await confirm(page, 'Repair 1', 'The note was right.');
    await said(page, 'The repair is over: 1 repaired.');
    await page.getByText(/kept-secondary/).waitFor();
    expect(await system.read(edited)).toMatchObject({ notes: 'typed' });

    await page.getByRole('link', { name: '← Consistency' }).click();
    await page.getByRole('button', { name: 'Compare everything' }).click();
    await confirm(page, 'Compare', 'To be sure.');
    await orders
      .getByRole('row')
      .filter({ hasText: 'To be sure.' })
      .getByRole('link', { name: 'clean' })
      .waitFor();
    await page.getByText('No difference is open.').waitFor();
    await page.getByLabel('State').selectOption('all');
    await differences.getByRole('row', { name: /repaired/ }).waitFor();
    await page.getByRole('button', { name: 'Allow … differences of expense' }).click();
    await page.getByRole('dialog').getByLabel('How many').fill('2');
    await confirm(page, 'Allow 2', 'For the week of the move.');
    await said(page, 'expense may have 2 open differences.');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('what a shadow read finds to differ is counted, listed and ended as it is', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { system } = stage;
    const { page, complaints } = await stage.signedIn();
    const id = await system.create(6, 'as it was');
    const followed = `SELECT id FROM expenses WHERE id = ${id}`;
    await expect.poll(() => query(system.databaseUrl, followed)).toHaveLength(1);
    await query(system.databaseUrl, `UPDATE expenses SET notes = 'typed' WHERE id = ${id}`);
    expect(await system.read(id)).toMatchObject({ notes: 'as it was' });
    await goTo(page, 'Consistency');
    await page.getByText('read differently, since the start').waitFor();
    await page.getByText(/^[1-9]\d* of [\d,]+$/).waitFor();
    await page.getByRole('link', { name: 'Shadow reads' }).click();
    const found = page
      .getByRole('table', { name: 'Differences' })
      .getByRole('row', { name: `expense ${id} conflict` });
    await found.getByText('shadow-read').waitFor();
    await found.getByRole('checkbox').check();
    await page.getByRole('button', { name: 'Accept as they are' }).click();
    await confirm(page, 'Accept', 'Known, and written anew in a moment.');
    await said(page, '1 difference ended as it is.');
    await found.getByText('accepted').waitFor();
    await system.update(id, 'notes', 'written anew');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('an edit of expenses.json from outside is shown record by record, adopted, and another one rejected', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { system } = stage;
    const { page } = await stage.signedIn();
    const id = await system.create(5, 'before');
    await system.editByHand(id, 'by hand');
    await goTo(page, 'Consistency');
    const edits = page.getByRole('table', { name: 'Edits from outside' });
    await edits
      .getByRole('row', { name: /open .* 1 changed/ })
      .getByRole('link')
      .click();
    await page.getByRole('row', { name: 'notes "before" differs "by hand"' }).waitFor();
    await expectGoodLooks(page, 'an edit');
    await page.getByRole('button', { name: 'Adopt …' }).click();
    await confirm(page, 'Adopt', 'It was meant.');
    await said(page, 'The edit is adopted.');
    await page.getByText(/by operator from .*“It was meant.”/).waitFor();
    expect(await system.read(id)).toMatchObject({ notes: 'by hand' });

    await system.editByHand(id, 'a slip');
    await page.getByRole('link', { name: '← Consistency' }).click();
    await edits
      .getByRole('row', { name: /open .* 1 changed/ })
      .getByRole('link')
      .click();
    await page.getByRole('button', { name: 'Reject …' }).click();
    await confirm(page, 'Reject', 'It was not.');
    await said(page, 'The edit is rejected.');
    expect(await system.read(id)).toMatchObject({ notes: 'by hand' });
    await page.context().close();
  });
}
