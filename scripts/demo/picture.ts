// What an operator has open beside the week: the console's charts, with every change of phase marked.
import { chromium } from 'playwright-core';
import type { Installation } from './installation.ts';

/** Debian's; the package brings none. */
const CHROMIUM = '/usr/bin/chromium';
const VIEWPORT = { width: 1280, height: 800 };
/** The charts are there, and drawn. */
const SETTLED_MS = 3_000;

/** Draws the console's page on replication as it is now, into a PNG file. @throws {Error} without Chromium */
export async function drawConsole(installation: Installation, file: string): Promise<void> {
  const { origin, operatorToken } = installation;
  // Root may only start it without its sandbox; the page is our own.
  const browser = await chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });
  try {
    const page = await browser.newPage({ viewport: VIEWPORT, colorScheme: 'light' });
    await page.goto(`${origin}/console#token=${operatorToken}`);
    await page.getByRole('navigation').getByRole('link', { name: 'Replication' }).click();
    await page.locator('canvas').first().waitFor();
    await page.waitForTimeout(SETTLED_MS);
    await page.screenshot({ path: file });
  } finally {
    await browser.close();
  }
}
