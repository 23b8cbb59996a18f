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

// A checkout that only root may enter is made readable by a capability; the user stays an ordinary one.
const reach = isOpenToAll(root) ? [] : ['--inh-caps=+dac_override', '--ambient-caps=+dac_override'];
const asNobody = ['--reuid', String(NOBODY), '--regid', String(NOBODY), '--clear-groups', ...reach];
const missing = isRoot && spawnSync('setpriv', [...asNobody, 'true']).status !== 0;

test.skipIf(missing)('an ordinary user starts and stops all of it', async () => {
  // Not below TMPDIR, which may be a folder that only root may enter.
  const dataDir = mkdtempSync('/tmp/tandem-nobody-');
  onTestFinished(() => rmSync(dataDir, { recursive: true, force: true }));
  if (isRoot) chownSync(dataDir, NOBODY, NOBODY);
  const tandem = startTandem({ DATA_DIR: dataDir, HOME: dataDir, TMPDIR: dataDir }, [
    ...(isRoot ? (['setpriv', ...asNobody] as const) : (['env'] as const)),
    process.execPath,
    'scripts/start.ts',
  ]);
  const origin = await tandem.ready();
  expect((await call(origin, 'POST', '/api/v1/expense', GUIDE)).status).toBe(200);
  await tandem.prints('Dual-write: Created expense 1 in database');
  expect(await tandem.interrupt()).toBe(0);
  expect(statSync(join(dataDir, 'json', 'expenses.json')).uid).toBe(
    isRoot ? NOBODY : process.getuid?.(),
  );
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
