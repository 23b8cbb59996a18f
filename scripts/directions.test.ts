// A check that nobody saw fail is worth nothing: every rule of DESIGN.md section 10 is shown a file
// that breaks it, and one beside it that keeps it.
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { root } from './root.ts';

const storage = 'packages/storage/src';
const RESTRICTED = 'lint/style/noRestrictedImports';
const CYCLE = 'lint/suspicious/noImportCycles';

/** `[file, what it imports, the rule it breaks or none]` */
const SAMPLES: readonly [file: string, specifier: string, rule: string | undefined][] = [
  ['apps/api/src/a.ts', '../../worker/src/main.ts', RESTRICTED],
  ['apps/api/src/b.ts', '@tandem/worker', RESTRICTED],
  ['apps/worker/src/a.ts', '@tandem/api/server', RESTRICTED],
  ['apps/cli/src/a.ts', '../../../apps/api/src/app.ts', RESTRICTED],
  ['apps/cli/src/b.ts', '../../../packages/storage/src/store.ts', RESTRICTED],
  ['apps/console/src/a.ts', '@tandem/cli', RESTRICTED],
  ['apps/api/src/c.ts', '@tandem/storage/json', undefined],
  ['packages/embedded-postgres/src/a.ts', '@tandem/storage/errors', RESTRICTED],
  ['packages/telemetry/src/a.ts', '@tandem/api/server', RESTRICTED],
  ['packages/telemetry/src/b.ts', '../../storage/src/errors.ts', RESTRICTED],
  ['packages/telemetry/src/c.ts', '@tandem/storage/phase', undefined],
  [`${storage}/a.ts`, './json/index.ts', RESTRICTED],
  [`${storage}/b.ts`, './changes/index.ts', undefined],
  [`${storage}/collections/a.ts`, '../errors.ts', RESTRICTED],
  [`${storage}/collections/b.ts`, 'pg', RESTRICTED],
  [`${storage}/collections/definitions/a.ts`, '../../changes/index.ts', RESTRICTED],
  [`${storage}/collections/definitions/b.ts`, '../collection.ts', undefined],
  [`${storage}/changes/a.ts`, '../store.ts', RESTRICTED],
  [`${storage}/changes/b.ts`, 'drizzle-orm/pg-core', RESTRICTED],
  [`${storage}/changes/c.ts`, '../collections/index.ts', undefined],
  [`${storage}/json/a.ts`, '../postgres/index.ts', RESTRICTED],
  [`${storage}/json/b.ts`, '../../../../apps/api/src/app.ts', RESTRICTED],
  [`${storage}/json/deep/a.ts`, '../../postgres/pool.ts', RESTRICTED],
  [`${storage}/json/c.ts`, '../replication/index.ts', undefined],
  [`${storage}/json/d.test.ts`, '../testing/index.ts', undefined],
  [`${storage}/json/e.ts`, '../testing/index.ts', RESTRICTED],
  [`${storage}/postgres/a.ts`, '../json/index.ts', RESTRICTED],
  [`${storage}/postgres/b.ts`, '@tandem/storage/json', RESTRICTED],
  [`${storage}/postgres/c.ts`, '../phase/index.ts', undefined],
  [`${storage}/replication/a.ts`, '../postgres/index.ts', RESTRICTED],
  [`${storage}/consistency/a.ts`, '../json/index.ts', RESTRICTED],
  [`${storage}/phase/a.ts`, '@tandem/storage/postgres', RESTRICTED],
  [`${storage}/phase/b.ts`, '../store.ts', undefined],
  [`${storage}/xray/a.ts`, '../json/index.ts', RESTRICTED],
  [`${storage}/json/f.ts`, '../xray/index.ts', undefined],
  [`${storage}/tokens/a.ts`, '../postgres/index.ts', RESTRICTED],
  [`${storage}/tokens/b.ts`, '../json/file-system.ts', undefined],
  ['e2e/a.ts', './b.ts', CYCLE],
  ['e2e/b.ts', './a.ts', CYCLE],
];

const folder = mkdtempSync(join(tmpdir(), 'tandem-directions-'));
const found = new Map<string, string[]>();

beforeAll(() => {
  copyFileSync(join(root, 'biome.json'), join(folder, 'biome.json'));
  copyFileSync(join(root, '.gitignore'), join(folder, '.gitignore'));
  for (const [file, specifier] of SAMPLES) {
    mkdirSync(join(folder, dirname(file)), { recursive: true });
    writeFileSync(join(folder, file), `export { sample } from '${specifier}';\n`);
  }
  const run = spawnSync(
    join(root, 'node_modules', '.bin', 'biome'),
    ['lint', '--reporter=json', '--max-diagnostics=none', '.'],
    { cwd: folder, encoding: 'utf8' },
  );
  const report: { diagnostics: { category: string; location: { path: string } }[] } = JSON.parse(
    run.stdout,
  );
  for (const { category, location } of report.diagnostics) {
    found.set(location.path, [...(found.get(location.path) ?? []), category]);
  }
});

afterAll(() => rmSync(folder, { recursive: true, force: true }));

for (const [file, specifier, rule] of SAMPLES) {
  test(`${file} ${rule === undefined ? 'may' : 'must not'} import ${specifier}`, () => {
    expect(found.get(file) ?? []).toEqual(rule === undefined ? [] : [rule]);
  });
}
