import type { Page } from 'playwright-core';
import { expect, test } from 'vitest';
import { startLoad } from '../load.ts';
import { query } from '../record-client.ts';
import type { Stage } from './stage.ts';

const WRITERS = 2;

const here = (page: Page, phase: string) =>
  page.locator('[aria-current=step]').filter({ hasText: phase }).waitFor();

async function fill(page: Page, reason: string, confirmation?: string): Promise<void> {
  const dialog = page.getByRole('dialog');
  await dialog.getByLabel('Reason').fill(reason);
  if (confirmation !== undefined) {
    await dialog.getByLabel(`Type ${confirmation} to confirm`).fill(confirmation);
  }
}

/** Where we are, and every act of the page. */
export function phasePageTests(stage: Stage): void {
  test('a move is shown before it is asked for: steps, pause; not without reason and confirmation', async () => {
    const { page } = await stage.signedIn();
    await page.getByRole('button', { name: /^Go here.*postgres-only/ }).click();
    const dialog = page.getByRole('dialog');
    await dialog.getByText('json-primary → postgres-primary').waitFor();
    expect(await dialog.getByText('postgres-primary → postgres-only').count()).toBe(1);
    expect(await dialog.getByText(/^Writes wait about/).count()).toBe(2);
    const ask = dialog.getByRole('button', { name: 'Ask for postgres-only' });
    expect(await ask.isDisabled()).toBe(true);
    await fill(page, 'Only looking.');
    expect(await ask.isDisabled()).toBe(true);
    await dialog.getByLabel(/to confirm/).fill('postgres-primary');
    expect(await ask.isDisabled()).toBe(true);
    await dialog.getByRole('button', { name: 'Cancel' }).click();
    await dialog.waitFor({ state: 'detached' });
    const intents = await query(stage.system.databaseUrl, 'SELECT * FROM phase_intents');
    expect(intents).toEqual([]);
    await page.context().close();
  });

  test('a closed gate keeps a move waiting, in words; it is cancelled', async () => {
    const { system } = stage;
    const poison = `ALTER TABLE expenses ADD CONSTRAINT poison CHECK (notes <> 'poison')`;
    await query(system.databaseUrl, poison);
    await system.create(1, 'poison');
    // The page's first look shall find it: the next one comes 2 s later.
    const letters = `SELECT 1 FROM pgboss.job WHERE name = 'write-to-postgres-dead'`;
    await expect.poll(() => query(system.databaseUrl, letters)).toHaveLength(1);
    const { page } = await stage.signedIn();
    const gate = page.getByRole('listitem').filter({ hasText: 'dead letters' });
    await gate.getByText('closed').waitFor();
    await gate.getByText('Opens when each dead letter is redriven or discarded.').waitFor();
    await page.getByRole('button', { name: 'Switch to postgres-primary' }).click();
    await page.getByRole('dialog').getByText('It begins once these are open').waitFor();
    await fill(page, 'Too early.', 'postgres-primary');
    await page.getByRole('button', { name: 'Ask for postgres-primary' }).click();
    await page
      .getByRole('heading', { name: 'Moving from json-primary to postgres-primary' })
      .waitFor();
    await page.getByText('Waiting for a gate to open').waitFor();
    await page.getByText('“Too early.”').first().waitFor();
    await page.getByRole('button', { name: 'Cancel the move' }).click();
    await fill(page, 'Not before it is mended.');
    await page.getByRole('dialog').getByRole('button', { name: 'Cancel the move' }).click();
    await page.getByText('took it back').waitFor();
    await page.getByRole('heading', { name: 'Moving from' }).waitFor({ state: 'detached' });
    await query(system.databaseUrl, 'ALTER TABLE expenses DROP CONSTRAINT poison');
    const mended = { all: true, reason: 'It is mended.' };
    await system.operator('POST', '/dead-letters/redrive', mended);
    await page
      .getByRole('listitem')
      .filter({ hasText: 'dead letters' })
      .getByText('open')
      .waitFor();
    await page.context().close();
  });

  test('a backfill is asked for and seen done', async () => {
    const { page } = await stage.signedIn();
    await page.getByRole('button', { name: 'Ask for a backfill' }).click();
    await fill(page, 'To be sure.');
    await page.getByRole('dialog').getByRole('button', { name: 'Ask for the backfill' }).click();
    await page.getByRole('status').getByText('The backfill is asked for.').waitFor();
    const row = page.getByRole('row').filter({ hasText: 'To be sure.' });
    await row.getByText('done').waitFor();
    await row.getByText(/compared, 0 written, 0 left/).waitFor();
    await page.context().close();
  });

  test('I6: a switch from the click to its end, and back, while clients write', async () => {
    const { page, complaints } = await stage.signedIn();
    const load = startLoad(stage.system.origin, WRITERS);
    await page.getByRole('button', { name: 'Switch to postgres-primary' }).click();
    await fill(page, 'Phase 4 on Tuesday.', 'postgres-primary');
    await page.getByRole('button', { name: 'Ask for postgres-primary' }).click();
    await page.getByText('The flags ask for postgres-primary now').waitFor();
    await here(page, 'postgres-primary');
    await page.getByText(/json-primary → postgres-primary; writes waited \d+ ms/).waitFor();
    await page.getByText('The phase is postgres-primary now.').waitFor({ state: 'attached' });

    await page.getByRole('button', { name: 'Roll back to json-primary' }).click();
    await fill(page, 'A drill.', 'json-primary');
    await page.getByRole('button', { name: 'Ask for json-primary' }).click();
    await here(page, 'json-primary');
    await page.getByText(/postgres-primary → json-primary; writes waited \d+ ms/).waitFor();
    await load.stop();
    expect(Object.fromEntries(load.refused)).toEqual({});
    expect(load.acknowledged.size).toBeGreaterThan(0);
    expect(complaints).toEqual([]);
    await page.context().close();
  });
}
