// Tools that read TypeScript through its JavaScript API see nothing with TypeScript 7, and pass. So
// each tool is shown a defect of the kind it is there for.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { root } from '../root.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

function project(files: Readonly<Record<string, string>>): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-checks-'));
  folders.push(folder);
  mkdirSync(join(folder, 'src'));
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  for (const [file, content] of Object.entries(files)) writeFileSync(join(folder, file), content);
  return folder;
}

function run(folder: string, program: string, args: readonly string[]) {
  const path = join(root, 'node_modules', '.bin', program);
  const { status, stdout } = spawnSync(path, args, { cwd: folder, encoding: 'utf8' });
  return { status, stdout };
}

test('knip sees an unused export, an unused file and an undeclared dependency', () => {
  const folder = project({
    'package.json': JSON.stringify({ name: 'sample', type: 'module' }),
    'knip.json': JSON.stringify({ entry: ['src/main.ts'], project: ['src/**/*.ts'] }),
    'src/main.ts': `import pg from 'pg';\nimport { used } from './part.ts';\nconsole.log(pg, used);\n`,
    'src/part.ts': 'export const used = 1;\nexport const forgotten = 2;\n',
    'src/lonely.ts': 'export const alone: number = 3;\n',
  });
  const { status, stdout } = run(folder, 'knip', ['--no-progress']);
  expect(status).toBe(1);
  expect(stdout).toMatch(/Unused files \(1\)\s+src\/lonely\.ts/);
  expect(stdout).toMatch(/Unlisted dependencies \(1\)\s+pg /);
  expect(stdout).toMatch(/Unused exports \(1\)\s+forgotten /);
});

test('tsc sees a wrong type, an unset index and a syntax that type stripping can not run', () => {
  const folder = project({
    'tsconfig.json': JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: { typeRoots: [join(root, 'node_modules/@types')] },
      include: ['src'],
    }),
    'src/main.ts': `export const wrong: number = 'text';
      export const length = (texts: string[]) => texts[0].length;
      export enum Kind { One }\n`,
  });
  const { status, stdout } = run(folder, 'tsc', ['-p', '.']);
  expect(status).not.toBe(0);
  for (const code of ['TS2322', 'TS2532', 'TS1294']) expect(stdout).toContain(code);
});
