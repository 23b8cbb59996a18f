// "npm start" as somebody who is not root, and for root in a folder that only root may enter.
import { spawnSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, mkdtempSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { call, legacyFile } from './record-client.ts';
import { root, startTandem, temporaryFolder } from './tandem-process.ts';

/** "nobody": an ordinary user of every Linux machine. */
const NOBODY = 65_534;
const isRoot = process.getuid?.() === 0;

const GUIDE = { date: '2025-12-07', category: 'Groceries', amount: 150.5, account: 'Cash' };

/**
 * Shows the checkout at a place that everybody may enter, in a mount namespace that ends with the
 * command, and becomes an ordinary user there: the checkout itself may lie where only root may go.
 */
const BECOME_NOBODY = `mount --bind "$0" "$1" && cd "$1" && shift &&
  exec setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups "$@"`;

const asNobody = (place: string, command: readonly string[]): [string, ...string[]] => [
  ...(['unshare', '--mount', 'sh', '-c', BECOME_NOBODY] as const),
  ...[root, place, ...command],
];

/** A folder of nobody's, not below TMPDIR, which may be a folder that only root may enter. */
function folderOfNobody(): string {
  const folder = mkdtempSync('/tmp/tandem-nobody-');
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  mkdirSync(join(folder, 'checkout'));
  for (const path of [folder, join(folder, 'checkout')]) chownSync(path, NOBODY, NOBODY);
  return folder;
}

function canBecomeNobody(): boolean {
  const folder = mkdtempSync('/tmp/tandem-nobody-');
  const [program, ...args] = asNobody(folder, ['true']);
  const { status } = spawnSync(program, args);
  rmSync(folder, { recursive: true });
  return status === 0;
}

// Where the tests themselves run as an ordinary user, all of them show it.
test.skipIf(isRoot && !canBecomeNobody())(
  'an ordinary user starts and stops all of it',
  async () => {
    const folder = isRoot ? folderOfNobody() : temporaryFolder();
    const dataDir = join(folder, 'data');
    const node = 'node_modules/node/bin/node';
    const tandem = startTandem(
      { DATA_DIR: dataDir, HOME: folder, TMPDIR: folder },
      isRoot
        ? asNobody(join(folder, 'checkout'), [node, 'scripts/start.ts'])
        : [node, 'scripts/start.ts'],
    );
    const origin = await tandem.ready();
    expect((await call(origin, 'POST', '/api/v1/expense', GUIDE)).status).toBe(200);
    await tandem.prints('Dual-write: Created expense 1 in database');
    expect(await tandem.interrupt()).toBe(0);
    const { uid } = statSync(join(dataDir, 'json', 'expenses.json'));
    expect(uid).toBe(isRoot ? NOBODY : process.getuid?.());
  },
);

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
