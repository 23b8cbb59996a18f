import type { Page } from 'playwright-core';
import { expect } from 'vitest';
import { DESKTOP, expectAccessible, PHONE } from './browser.ts';

/** Of one test of many acts, on a machine that has much else to do. */
export const TIMEOUT_MS = 180_000;

/** Axe on what is shown now, light on a desktop and dark on a phone, where nothing is wider than it. */
export async function expectGoodLooks(page: Page, what: string): Promise<void> {
  await expectAccessible(page, what);
  // Colours that are still moving towards the dark ones would be measured.
  await page.emulateMedia({ colorScheme: 'dark', reducedMotion: 'reduce' });
  await page.setViewportSize(PHONE);
  await expectAccessible(page, `${what}, dark, on a phone`);
  const wider = await page.evaluate('document.documentElement.scrollWidth - window.innerWidth');
  expect(wider, `${what} on a phone`).toBe(0);
  await page.emulateMedia({ colorScheme: 'light' });
  await page.setViewportSize(DESKTOP);
}

/** Gives the reason and what has to be typed, and does it. */
export async function confirm(
  page: Page,
  verb: string,
  reason: string,
  confirmation?: string,
): Promise<void> {
  const dialog = page.getByRole('dialog');
  const button = dialog.getByRole('button', { name: verb, exact: true });
  await button.waitFor();
  await dialog.getByLabel('Reason').fill(reason);
  if (confirmation !== undefined) {
    expect(await button.isDisabled()).toBe(true);
    await dialog.getByLabel(`Type ${confirmation} to confirm`).fill(confirmation);
  }
  await button.click();
}

/** What was done is said in the corner, and to screen readers. */
export const said = (page: Page, text: string | RegExp): Promise<void> =>
  page.getByRole('status').getByText(text).waitFor();
