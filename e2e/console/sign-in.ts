import { expect, test } from 'vitest';
import { openPage } from './browser.ts';
import type { Stage } from './stage.ts';

/** Who is let in, and what becomes of the token. */
export function signInTests(stage: Stage): void {
  test('the token in the address signs in and is gone from it; the phase is shown', async () => {
    const { page, complaints } = await stage.signedIn();
    expect(page.url()).not.toContain(stage.system.token);
    expect(await page.locator('[aria-current=step]').textContent()).toContain('json-primary');
    // No script can read the cookie.
    expect(await page.evaluate('document.cookie')).toBe('');
    expect(complaints).toEqual([]);
    await page.context().close();
  });

  test('a wrong token is refused; the right one signs in, also after a reload; sign out ends it', async () => {
    const { page } = await openPage(stage.browser);
    await page.goto(`${stage.system.origin}/console`);
    await page.getByLabel('Operators’ token').fill('not-the-token-of-anybody');
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page.getByRole('alert').getByText('does not know this token').waitFor();
    await page.getByLabel('Operators’ token').fill(stage.system.token);
    await page.keyboard.press('Enter');
    await page.getByText('We are here').waitFor();
    await page.reload();
    await page.getByText('We are here').waitFor();
    await page.getByRole('button', { name: 'Sign out' }).click();
    await page.getByLabel('Operators’ token').waitFor();
    await page.reload();
    await page.getByLabel('Operators’ token').waitFor();
    await page.context().close();
  });

  test('a session that has ended leads to the sign-in, which says so', async () => {
    const { page } = await stage.signedIn();
    await page.context().clearCookies();
    await page.getByText('The session has ended').waitFor();
    expect(await page.getByText('We are here').count()).toBe(0);
    await page.context().close();
  });
}
