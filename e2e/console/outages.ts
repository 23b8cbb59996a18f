import { test } from 'vitest';
import type { Stage } from './stage.ts';

/** What the page shows while what is behind it is away. The last ones: they end the api. */
export function outageTests(stage: Stage): void {
  test('the api is killed: the last data stays, marked as old; it is back: fresh, without signing in', async () => {
    const { page } = await stage.signedIn();
    await stage.system.killApi();
    await page.getByRole('alert').getByText('The API can not be reached.').waitFor();
    await page.locator('[data-stale=yes]').waitFor();
    await page.locator('[aria-current=step]').getByText('json-primary').waitFor();
    await stage.system.startApi();
    await page.locator('[data-stale=no]').waitFor();
    await page.getByRole('alert').waitFor({ state: 'detached' });
    await page.context().close();
  });

  test('PostgreSQL is away: the page says so, and goes on with what the api knows alone', async () => {
    const { page } = await stage.signedIn();
    stage.system.cutDatabase();
    const alert = page.getByRole('alert').filter({ hasText: 'as it was before' });
    await alert.waitFor();
    await page.locator('[data-stale=no]').waitFor();
    stage.system.restoreDatabase();
    await alert.waitFor({ state: 'detached' });
    await page.context().close();
  });
}
