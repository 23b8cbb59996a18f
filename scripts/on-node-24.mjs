// The one file that must run on any Node >= 18: installs what is missing from the lock file, then
// runs the given TypeScript file on the pinned Node 24 of the `node` package.
//
//   node scripts/on-node-24.mjs FILE [ARG ...]
//
// Signals: the terminal's Ctrl-C reaches both processes; this one only waits for its child, so that
// the child alone decides how to stop, and its exit status becomes ours.
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const PNPM = 'pnpm@12.21.0';
const root = dirname(dirname(fileURLToPath(import.meta.url)));
const node24 = join(root, 'node_modules', 'node', 'bin', 'node');
/** What Node has compiled once, types stripped: a process of ours starts in two thirds of the time. */
const compiled = join(root, 'node_modules', '.cache', 'node-compile');
const stamp = join(root, 'node_modules', '.tandem-installed');

/** The files whose content decides what must be installed. */
function manifests() {
  const files = ['package.json', 'pnpm-lock.yaml', 'pnpm-workspace.yaml'];
  for (const folder of ['apps', 'packages']) {
    if (!existsSync(join(root, folder))) continue;
    for (const name of readdirSync(join(root, folder)).sort()) {
      const file = join(folder, name, 'package.json');
      if (existsSync(join(root, file))) files.push(file);
    }
  }
  return files;
}

function fingerprint() {
  const hash = createHash('sha256');
  for (const file of manifests()) hash.update(`${file}\n`).update(readFileSync(join(root, file)));
  return hash.digest('hex');
}

function install(wanted) {
  console.error('Installing the pinned packages (once; only when the lock file changes) …');
  if (!process.version.startsWith('v24.')) {
    // Else a first start begins with a screen of warnings that concern nobody.
    console.error(
      `Warnings of an unsupported engine are about ${process.version}, which installs; what runs is the Node 24 among the packages.`,
    );
  }
  const result = spawnSync(
    'npx',
    ['--yes', PNPM, 'install', '--frozen-lockfile', '--reporter=append-only'],
    // Standard output belongs to the command itself (it may print JSON): pnpm's goes to stderr.
    { cwd: root, stdio: ['ignore', 2, 2], env: { ...process.env, CI: 'true' } },
  );
  if (result.status !== 0) {
    console.error(`The packages could not be installed: "npx ${PNPM} install" failed.`);
    process.exit(1);
  }
  mkdirSync(dirname(stamp), { recursive: true });
  writeFileSync(stamp, wanted);
}

const wanted = fingerprint();
if (!existsSync(node24) || !existsSync(stamp) || readFileSync(stamp, 'utf8') !== wanted) {
  install(wanted);
}

const child = spawn(node24, process.argv.slice(2), {
  stdio: 'inherit',
  env: {
    NODE_COMPILE_CACHE: compiled,
    ...process.env,
    PATH: `${dirname(node24)}:${process.env.PATH ?? ''}`,
  },
});
child.on('error', (error) => {
  console.error(`Node 24 could not be started: ${error.message}`);
  process.exit(1);
});
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    // A terminal signals the whole process group; a signal sent to this process alone is passed on.
    // The child takes a repeated signal of the same stop as one.
    child.kill(signal);
  });
}
child.on('exit', (code, signal) => {
  process.exit(signal === null ? (code ?? 1) : 1);
});
