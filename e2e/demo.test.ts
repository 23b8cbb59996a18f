import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { environmentWith, startProcess, temporaryFolder } from './tandem-process.ts';

test('the demo goes through the week without an error, and leaves nothing', async () => {
  const folder = join(temporaryFolder(), 'tmp');
  mkdirSync(folder);
  const demo = startProcess(
    [process.execPath, 'scripts/demo.ts', '--fast'],
    environmentWith({ TMPDIR: folder }),
  );
  expect(await demo.ended, demo.output()).toBe(0);
  const output = demo.output();
  for (const phase of ['postgres-primary', 'json-primary', 'postgres-only']) {
    expect(output).toContain(`The phase is ${phase}. Clients were at work: 0 errors`);
  }
  expect(output).toMatch(/1 dead letter, 1 kind of failure/);
  expect(output).toMatch(/; 0 are missing, 0 requests failed\./);
  expect(output).toMatch(/Console {2}http:\S+\/console$/m);
  // Node and its tools keep caches there that are not the demo's.
  expect(readdirSync(folder).filter((name) => /tandem/.test(name))).toEqual([]);
}, 300_000);
