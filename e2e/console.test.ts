import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { DESKTOP, expectAccessible, openBrowser, openPage, PHONE } from './console/browser.ts';
import { type ConsoleSystem, startConsoleSystem } from './console/system.ts';
import { keepForAllTests } from './tandem-process.ts';

keepForAllTests();

const PAGES = ['Phase', 'Replication', 'Failed jobs', 'Consistency', 'Records', 'Audit'];

let system: ConsoleSystem;
let browser: Browser;

beforeAll(async () => {
  [system, browser] = await Promise.all([startConsoleSystem(), openBrowser()]);
});
afterAll(() => browser.close());

const signedIn = async (options: Parameters<typeof openPage>[1] = {}) => {
  const watched = await openPage(browser, options);
  await watched.page.goto(`${system.origin}/console#token=${system.token}`);
  await watched.page.getByText('We are here').waitFor();
  return watched;
};

test('the token in the address signs in and is gone from it; the phase is shown', async () => {
  const { page, complaints } = await signedIn();
  expect(page.url()).not.toContain(system.token);
  expect(await page.locator('[aria-current=step]').textContent()).toContain('json-primary');
  expect(complaints).toEqual([]);
});

test('axe finds nothing on any page, in light and dark, on a desktop and a phone', async () => {
  for (const viewport of [DESKTOP, PHONE]) {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page, complaints } = await signedIn({ viewport, colorScheme });
      for (const name of PAGES) {
        await page.getByRole('navigation').getByRole('link', { name }).click();
        await page.getByRole('heading', { level: 1, name }).waitFor();
        await expectAccessible(page, `${name}, ${colorScheme}, ${viewport.width} wide`);
      }
      expect(complaints).toEqual([]);
      await page.context().close();
    }
  }
});
