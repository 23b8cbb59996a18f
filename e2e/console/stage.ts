// One system and one browser, in which the console's tests follow each other.
import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { afterAll, beforeAll } from 'vitest';
import { keepForAllTests } from '../tandem-process.ts';
import { openBrowser, openPage, type Watched } from './browser.ts';
import { type ConsoleSystem, startConsoleSystem } from './system.ts';

/** What starting all of it may take on a machine that has much else to do. */
const START_TIMEOUT_MS = 120_000;

export interface Stage {
  readonly system: ConsoleSystem;
  readonly browser: Browser;
  /** A fresh profile on the first page, signed in by the address. */
  signedIn(options?: BrowserContextOptions): Promise<Watched>;
}

/** Called once, at the top of a file. */
export function setTheStage(): Stage {
  keepForAllTests();
  let standing: { readonly system: ConsoleSystem; readonly browser: Browser } | undefined;
  const stands = () => {
    if (standing === undefined) throw new Error('The system has not been started.');
    return standing;
  };
  beforeAll(async () => {
    const started = startConsoleSystem({ SHADOW_READ_RATE: '1' });
    const [system, browser] = await Promise.all([started, openBrowser()]);
    standing = { system, browser };
  }, START_TIMEOUT_MS);
  afterAll(async () => {
    await standing?.browser.close();
    await standing?.system.close();
  });
  return {
    get system() {
      return stands().system;
    },
    get browser() {
      return stands().browser;
    },
    async signedIn(options = {}) {
      const { system, browser } = stands();
      const watched = await openPage(browser, options);
      await watched.page.goto(`${system.origin}/console#token=${system.token}`);
      await watched.page.getByText('We are here').waitFor();
      return watched;
    },
  };
}

/** Goes to a page by its link, and waits until it is shown. */
export async function goTo(page: Page, name: string): Promise<void> {
  await page.getByRole('navigation').getByRole('link', { name }).click();
  await page.getByRole('heading', { level: 1, name }).waitFor();
}
