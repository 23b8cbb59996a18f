import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { root } from '../root.ts';

/** A copy of the work tree that may be changed; what is installed is shared with the original. */
export interface WorkCopy {
  readonly path: string;
  remove(): void;
}

export function copyWorkTree(): WorkCopy {
  const path = mkdtempSync(join(tmpdir(), 'tandem-mutants-'));
  const args = ['ls-files', '-z', '--cached', '--others', '--exclude-standard'];
  const listed = spawnSync('git', args, { cwd: root, encoding: 'utf8' });
  if (listed.status !== 0) throw new Error(`git ls-files failed: ${listed.stderr}`);
  for (const file of listed.stdout.split('\0')) {
    // A tracked file may have been removed from the work tree.
    if (file === '' || !existsSync(join(root, file))) continue;
    cpSync(join(root, file), join(path, file));
  }
  for (const folder of ['', ...workspaces()]) {
    const installed = join(root, folder, 'node_modules');
    if (existsSync(installed)) linkInstalled(installed, join(path, folder, 'node_modules'), path);
  }
  return { path, remove: () => rmSync(path, { recursive: true, force: true }) };
}

const OWN_SCOPE = '@tandem';

/** What is installed is shared, but for our own packages: of those the copy uses its own. */
function linkInstalled(installed: string, there: string, copy: string): void {
  mkdirSync(there);
  for (const name of readdirSync(installed)) {
    if (name !== OWN_SCOPE) symlinkSync(join(installed, name), join(there, name));
  }
  if (!existsSync(join(installed, OWN_SCOPE))) return;
  mkdirSync(join(there, OWN_SCOPE));
  for (const name of readdirSync(join(installed, OWN_SCOPE))) {
    const source = relative(realpathSync(root), realpathSync(join(installed, OWN_SCOPE, name)));
    symlinkSync(join(copy, source), join(there, OWN_SCOPE, name));
  }
}

const workspaces = (): string[] =>
  ['apps', 'packages'].flatMap((group) =>
    readdirSync(join(root, group)).map((name) => join(group, name)),
  );
