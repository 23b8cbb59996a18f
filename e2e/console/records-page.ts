import { expect, test } from 'vitest';
import { expectGoodLooks, TIMEOUT_MS } from './looks.ts';
import { goTo, type Stage } from './stage.ts';

/** One record wherever it stands. */
export function recordsPageTests(stage: Stage): void {
  test('a record is found by collection and id, and by its address; one that is changed meanwhile, and one that is not there', {
    timeout: TIMEOUT_MS,
  }, async () => {
    const { system } = stage;
    const { page, complaints } = await stage.signedIn();
    const id = await system.create(7, 'looked at');
    await goTo(page, 'Records');
    await page.getByText('Which record?').waitFor();
    await page.getByLabel('Id', { exact: true }).fill(`${id}`);
    await page.keyboard.press('Enter');
    await page.getByText('Both stores hold the same state.').waitFor();
    expect(page.url()).toContain(`#/records/expense/${id}`);
    const fields = page.getByRole('table', { name: `Fields of expense ${id} in both stores` });
    await fields.getByRole('row', { name: 'notes "looked at" same "looked at"' }).waitFor();
    await expectGoodLooks(page, 'a record');
    await system.update(id, 'notes', 'anew');
    await fields.getByRole('row', { name: 'notes "anew" same "anew"' }).waitFor();
    await page.getByRole('table', { name: 'Known states' }).getByText('update').waitFor();

    await page.goto(`${system.origin}/console#/records/income/4711`);
    await page.getByText('Neither store holds it.').waitFor();
    await page.goto(`${system.origin}/console#/records/nonsense/1`);
    await page.getByRole('alert').getByText('There is no collection nonsense').waitFor();
    expect(complaints).toEqual([]);
    await page.context().close();
  });
}
