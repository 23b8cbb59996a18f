import { expect, test } from 'vitest';
import { goTo, type Stage } from './stage.ts';

/** What the charts and figures say. */
export function replicationPageTests(stage: Stage): void {
  test('backlog, lag, throughput and errors are drawn, with the moments of phase changes', async () => {
    for (let amount = 1; amount <= 20; amount += 1) await stage.system.create(amount);
    const { page, complaints } = await stage.signedIn();
    await goTo(page, 'Replication');
    for (const chart of ['Backlog', 'Lag', 'Throughput', 'Apply errors']) {
      await page.getByRole('img', { name: new RegExp(`^${chart}.*at most`) }).waitFor();
    }
    expect(await page.locator('canvas').count()).toBe(4);
    // The writes above, and those of the switch before.
    await page.getByRole('img', { name: /Written: now [\d.,]+, at most [1-9]/ }).waitFor();
    await page.getByRole('img', { name: /Applied: now [\d.,]+, at most [1-9]/ }).waitFor();
    await page.getByRole('listitem').filter({ hasText: '→ json-primary' }).first().waitFor();
    await page.getByRole('cell', { name: 'write-to-postgres' }).waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });
}
