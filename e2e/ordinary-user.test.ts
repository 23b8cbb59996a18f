// "npm start" as somebody who is not root, and for root in a folder that only root may enter.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { call, legacyFile } from './record-client.ts';
import { root, startTandem, temporaryFolder } from './tandem-process.ts';

/** "nobody": an ordinary user of every Linux machine. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

const GUIDE = { date: '2025-12-07', category: 'Groceries', amount: 150.5, account: 'Cash' };

/** Whether users other than its owner may enter a folder and all above it. */
function isOpenToAll(folder: string): boolean {
  const isOpen = (statSync(folder).mode & 0o005) === 0o005;
  return isOpen && (folder === '/' || isOpenToAll(dirname(folder)));
}

const asNobody = ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'] as const;
const canBecomeNobody =
  isRoot &&
  spawnSync(asNobody[0], [...asNobody.slice(1), 'true']).status === 0 &&
  isOpenToAll(root);

test.skipIf(!canBecomeNobody)('an ordinary user starts and stops all of it', async () => {
  // Not below TMPDIR, which may be a folder that only root may enter.
  const dataDir = mkdtempSync('/tmp/tandem-nobody-');
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  chownSync(dataDir, NOBODY, NOBODY);
  const tandem = startTandem({ DATA_DIR: dataDir, HOME: dataDir, TMPDIR: dataDir }, [
    ...asNobody,
    process.execPath,
    'scripts/start.ts',
  ]);
  const origin = await tandem.ready();
  expect((await call(origin, 'POST', '/api/v1/expense', GUIDE)).status).toBe(200);
  await tandem.prints('Dual-write: Created expense 1 in database');
  expect(await tandem.interrupt()).toBe(0);
  expect(statSync(join(dataDir, 'json', 'expenses.json')).uid).toBe(NOBODY);
});

test('the data may lie in a folder that only its owner may enter', async () => {
  const folder = temporaryFolder();
  chmodSync(folder, 0o700);
  const dataDir = join(folder, 'deep', 'data');
  const tandem = startTandem({ DATA_DIR: dataDir });
  const origin = await tandem.ready();
  expect((await call(origin, 'POST', '/api/v1/expense', GUIDE)).status).toBe(200);
  expect(await tandem.interrupt()).toBe(0);
  expect(legacyFile(join(dataDir, 'json'), 'expenses.json')).toHaveLength(1);
});
