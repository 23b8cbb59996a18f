import { expect, test } from 'vitest';
import { query } from '../record-client.ts';
import { expectGoodLooks, TIMEOUT_MS } from './looks.ts';
import { goTo, type Stage } from './stage.ts';

const FILLER = `INSERT INTO audit_log (at, actor, action, reason, details)
  SELECT now() - n * interval '1 day', 'filler', 'filling', 'Number ' || n, '{}'
  FROM generate_series(1, 60) AS n`;

/** Who did what and why; after the other pages' tests, which did much. */
export function auditPageTests(stage: Stage): void {
  test('what was done on the other pages stands there with its reason; narrowed, paged, leading to its records', {
    timeout: TIMEOUT_MS,
  }, async () => {
    await query(stage.system.databaseUrl, FILLER);
    const { page, complaints } = await stage.signedIn();
    await goTo(page, 'Audit');
    const trail = page.getByRole('table', { name: 'What was done' });
    const rowOf = (reason: string) => trail.getByRole('row').filter({ hasText: reason });
    await rowOf('It was meant.').getByText('An edit was adopted').waitFor();
    await rowOf('To be sure.').getByText('The stores were compared').first().waitFor();
    await rowOf('So it is for the others.').getByText('2 letters').waitFor();
    await expectGoodLooks(page, 'the audit trail');

    const pages = page.getByRole('navigation', { name: 'Pages of the audit trail' });
    await pages.getByRole('button', { name: 'Next' }).click();
    await pages.getByText('Page 2').waitFor();
    await rowOf('Number 45').waitFor();
    await pages.getByRole('button', { name: 'Previous' }).click();
    await rowOf('It was meant.').waitFor();

    await page.getByRole('combobox', { name: 'Act' }).selectOption('discard-dead-letters');
    await rowOf('It is a typing error.').getByText('1 letter').waitFor();
    await rowOf('They are copies.').getByText('500 letters').first().waitFor();
    await rowOf('So it is for the others.').waitFor({ state: 'detached' });
    await rowOf('It is a typing error.').getByText('Details').click();
    await trail.getByText('99999').waitFor();
    await rowOf('It is a typing error.')
      .getByRole('link', { name: /^expense / })
      .click();
    await page.getByRole('heading', { level: 1, name: 'Records' }).waitFor();
    await page.getByText('What operators did to its failed jobs').waitFor();
    await page.goBack();
    await page.getByRole('button', { name: 'Clear all' }).click();
    await page.getByLabel('Who or why has').fill('NUMBER 42');
    await page.keyboard.press('Enter');
    await expect.poll(() => trail.getByRole('row').count()).toBe(2);
    await query(stage.system.databaseUrl, `DELETE FROM audit_log WHERE actor = 'filler'`);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
}
