//   sources ─ same fingerprint as dist's? ─▶ nothing to do
//      └─ vite build ─▶ .dist-… (a folder of this build's own) ─ renamed ─▶ dist
//
// Several may build at once (tests do): each builds for itself, and whoever comes last is there.
import { spawn } from 'node:child_process';
import { createHash, randomUUID } from 'node:crypto';
import { readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { root } from '../root.ts';

const folder = join(root, 'apps', 'console');
const dist = join(folder, 'dist');
const STAMP = '.built-from';
/** What decides how the page looks, beside `src`. */
const SOURCES = ['index.html', 'package.json', 'vite.config.ts', 'tsconfig.json'];

/**
 * Builds the operators' page where its sources have changed since; takes a second.
 * @returns whether there was something to build
 * @throws {Error} with what vite said
 */
export async function buildConsole(): Promise<boolean> {
  const wanted = await fingerprint();
  if ((await builtFrom()) === wanted) return false;
  const own = join(folder, `.dist-${randomUUID()}`);
  try {
    await runVite(own);
    await writeFile(join(own, STAMP), wanted);
    await putInPlace(own);
  } finally {
    await rm(own, { recursive: true, force: true });
  }
  return true;
}

async function fingerprint(): Promise<string> {
  const hash = createHash('sha256');
  const files = (await readdir(join(folder, 'src'), { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort();
  for (const file of [...SOURCES.map((name) => join(folder, name)), ...files]) {
    hash.update(`${file.slice(folder.length)}\n`).update(await readFile(file));
  }
  return hash.update(await readFile(join(root, 'pnpm-lock.yaml'))).digest('hex');
}

async function builtFrom(): Promise<string | undefined> {
  try {
    return await readFile(join(dist, STAMP), 'utf8');
  } catch {
    return undefined;
  }
}

function runVite(outDir: string): Promise<void> {
  const vite = join(folder, 'node_modules', 'vite', 'bin', 'vite.js');
  const child = spawn(
    process.execPath,
    [vite, 'build', '--outDir', outDir, '--emptyOutDir', '--logLevel', 'warn'],
    {
      cwd: folder,
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NODE_ENV: 'production' },
    },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text: string) => {
      output += text;
    });
  }
  return new Promise((settle, fail) => {
    child.once('error', fail);
    child.once('close', (code) => {
      if (code === 0) settle();
      else fail(new Error(`vite build ended with ${code}: ${output.trim()}`));
    });
  });
}

/** A folder can't be replaced by a rename: the old one steps aside first. */
async function putInPlace(built: string): Promise<void> {
  const old = join(folder, `.dist-${randomUUID()}`);
  try {
    await rename(dist, old);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error;
  }
  try {
    await rename(built, dist);
  } catch (error) {
    // Another build was put there in between: from the same sources, as far as anybody can say.
    if (codeOf(error) !== 'ENOTEMPTY' && codeOf(error) !== 'EEXIST') throw error;
  }
  await rm(old, { recursive: true, force: true });
}

const codeOf = (error: unknown): string | undefined => (error as NodeJS.ErrnoException).code;
