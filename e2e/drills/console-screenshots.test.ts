// Draws the console into docs/console: npm run screenshots.
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BrowserContextOptions, Page } from 'playwright-core';
import { test } from 'vitest';
import { DESKTOP, PHONE } from '../console/browser.ts';
import { goTo, setTheStage } from '../console/stage.ts';
import { query } from '../record-client.ts';
import { root } from '../tandem-process.ts';

const FOLDER = join(root, 'docs', 'console');
const PAGES = ['Phase', 'Replication', 'Failed jobs', 'Consistency', 'Records', 'Audit'];
/** Nothing is drawn halfway between two colours. */
const reducedMotion = 'reduce';
const LOOKS: Readonly<Record<string, BrowserContextOptions>> = {
  light: { viewport: DESKTOP, colorScheme: 'light', reducedMotion },
  dark: { viewport: DESKTOP, colorScheme: 'dark', reducedMotion },
  phone: { viewport: PHONE, colorScheme: 'light', reducedMotion },
  'phone-dark': { viewport: PHONE, colorScheme: 'dark', reducedMotion },
};
/** Writes between two samples of the charts, a few times over. */
const BURSTS = [40, 10, 0, 60, 5];
const BURST_MS = 2_500;

const stage = setTheStage();

const isAsked = process.env.TANDEM_DRILLS === 'screenshots';

test.runIf(isAsked)(
  'every page, as it looks while there is something to see',
  async () => {
    mkdirSync(FOLDER, { recursive: true });
    const { system } = stage;
    for (const burst of BURSTS) {
      for (let amount = 1; amount <= burst; amount += 1) {
        await system.read(await system.create(amount));
      }
      await new Promise((settle) => setTimeout(settle, BURST_MS));
    }
    await somethingToMend();
    for (const [look, options] of Object.entries(LOOKS)) {
      const { page } = await stage.signedIn(options);
      for (const name of PAGES) {
        await goTo(page, name);
        await drawn(page, `${name.toLowerCase().replace(' ', '-')}-${look}`);
      }
      await page.context().close();
    }
    await aMove();
  },
  300_000,
);

/** Dead letters, and an edit that nobody told the system of. */
async function somethingToMend(): Promise<void> {
  const { system } = stage;
  const poison = `ALTER TABLE expenses ADD CONSTRAINT no_poison CHECK (notes NOT LIKE 'poison%')`;
  await query(system.databaseUrl, poison);
  for (let amount = 1; amount <= 5; amount += 1) await system.create(amount, `poison ${amount}`);
  await query(system.databaseUrl, `UPDATE expenses SET notes = 'typed in psql' WHERE id = 3`);
  await system.operator('POST', '/verify', { mode: 'full', reason: 'Before the switch.' });
  await system.operator('POST', '/backfill', { reason: 'After the import.', actor: 'ann' });
}

/** The dialog of a move, and the move while a gate keeps it waiting. */
async function aMove(): Promise<void> {
  const { page } = await stage.signedIn(LOOKS.light);
  await page.getByRole('button', { name: 'Switch to postgres-primary' }).click();
  await page.getByText(/^Writes wait about/).waitFor();
  await drawn(page, 'move-light', false);
  await page.getByLabel('Reason').fill('Phase 4 of the plan.');
  await page.getByLabel(/to confirm/).fill('postgres-primary');
  await page.getByRole('button', { name: 'Ask for postgres-primary' }).click();
  await page.getByText(/Waiting for .* to open/).waitFor();
  await drawn(page, 'moving-light');
  await stage.system.killApi();
  await page.locator('[data-stale=yes]').waitFor();
  await page.evaluate('scrollTo(0, 0)');
  await drawn(page, 'stale-light', false);
  await page.context().close();
}

/** Whatever a page still reads is waited for. */
async function drawn(page: Page, name: string, fullPage = true): Promise<void> {
  const loading = page.locator('.loading');
  while ((await loading.count()) > 0) await loading.first().waitFor({ state: 'detached' });
  await page.screenshot({ path: join(FOLDER, `${name}.png`), fullPage });
}
