import { expect, test } from 'vitest';
import { DESKTOP, expectAccessible, PHONE } from './browser.ts';
import { goTo, type Stage } from './stage.ts';

const PAGES = ['Phase', 'Replication', 'Failed jobs', 'Consistency', 'Records', 'Audit'];

/** Axe on every page, and what only a keyboard shows. */
export function accessibilityTests(stage: Stage): void {
  for (const viewport of [DESKTOP, PHONE]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      test(`axe finds nothing on any page, ${colorScheme}, ${viewport.width} wide`, async () => {
        const { page, complaints } = await stage.signedIn({ viewport, colorScheme });
        for (const name of PAGES) {
          await goTo(page, name);
          await expectAccessible(page, name);
        }
        expect(complaints).toEqual([]);
        await page.context().close();
      });
    }
  }

  test('by keyboard: the skip link leads to the page, a dialog takes the focus and gives it back', async () => {
    const { page } = await stage.signedIn();
    await page.keyboard.press('Tab');
    expect(await page.locator(':focus').textContent()).toContain('Skip to the page');
    await page.keyboard.press('Enter');
    expect(await page.locator(':focus').getAttribute('id')).toBe('main');
    const button = page.getByRole('button', { name: 'Roll back to json-only' });
    await button.focus();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog').waitFor();
    expect(await page.locator('dialog :focus').count()).toBe(1);
    await expectAccessible(page, 'a dialog');
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    expect(await page.locator(':focus').textContent()).toContain('Roll back to json-only');
    await page.context().close();
  });
}
