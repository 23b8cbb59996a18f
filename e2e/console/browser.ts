// Debian's chromium, driven by playwright-core, on the real page.
import axe from 'axe-core';
import { type Browser, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { expect } from 'vitest';

const CHROMIUM = '/usr/bin/chromium';
/** What is waited for in the page. */
const TIMEOUT_MS = 45_000;

export const DESKTOP = { width: 1280, height: 900 };
export const PHONE = { width: 390, height: 844 };

/** Root may only start it without its sandbox; the page is our own. */
export const openBrowser = (): Promise<Browser> =>
  chromium.launch({ executablePath: CHROMIUM, args: ['--no-sandbox'] });

export interface Watched {
  readonly page: Page;
  /** What the page complained about: errors, and what its content security policy refused. */
  readonly complaints: readonly string[];
}

/** A page of a fresh profile whose complaints are kept. */
export async function openPage(
  browser: Browser,
  options: BrowserContextOptions = {},
): Promise<Watched> {
  const context = await browser.newContext({ viewport: DESKTOP, ...options });
  context.setDefaultTimeout(TIMEOUT_MS);
  const page = await context.newPage();
  const complaints: string[] = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => {
    // An answer that is no success is told like this, too; those are what the tests are about.
    const isAnswer = message.text().startsWith('Failed to load resource');
    if (message.type() === 'error' && !isAnswer) complaints.push(message.text());
  });
  return { page, complaints };
}

interface Violation {
  readonly id: string;
  readonly nodes: readonly {
    readonly target: readonly string[];
    readonly failureSummary: string;
  }[];
}

/** Every rule of axe on the page as it is now. */
export async function expectAccessible(page: Page, what: string): Promise<void> {
  // Through the debugger: the page's own policy would refuse the script.
  if (!(await page.evaluate("'axe' in window"))) await page.evaluate(axe.source);
  const violations: readonly Violation[] = await page.evaluate(
    `axe.run(document, { resultTypes: ['violations'] }).then(({ violations }) => violations)`,
  );
  const told = violations.map(({ id, nodes }) => {
    const [first] = nodes;
    return `${id} at ${nodes.map(({ target }) => target.join(' ')).join(', ')}: ${first?.failureSummary}`;
  });
  expect(told, what).toEqual([]);
}
