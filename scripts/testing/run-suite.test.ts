// The runner's promise is a truthful count: what fails without a test of its own is counted too.
import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { root } from '../root.ts';
import { runSuite } from './run-suite.ts';
import { SECONDS_MAX, SUITES, withinTheRest } from './suites.ts';

const folders: string[] = [];

afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true });
});

/** Runs vitest on one test file of this content, in a folder of its own. */
function runSample(content: string, budgetSeconds = 60, except: readonly string[] = []) {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-suite-'));
  folders.push(folder);
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  writeFileSync(join(folder, 'vitest.config.ts'), 'export default {};\n');
  writeFileSync(
    join(folder, 'sample.test.ts'),
    `import { describe, expect, test } from 'vitest';\n${content}`,
  );
  const suite = { name: 'sample', files: [], except, budgetSeconds };
  return runSuite(suite, { folder, output: 'ignore' });
}

test('passed, failed and skipped tests are counted, the last two by name', async () => {
  const result = await runSample(`
    describe('group', () => {
      test('good', () => {});
      test('bad', () => expect(1).toBe(2));
      test.skip('not here', () => {});
      test.todo('some day');
    });`);
  expect(result).toMatchObject({
    passed: 1,
    failed: ['group bad'],
    skipped: ['group not here', 'group some day'],
  });
});

test('a file that is left out is not run', async () => {
  const result = await runSample(`test('good', () => {});`, 60, ['**/sample.test.ts']);
  expect(result).toMatchObject({ passed: 0, failed: [expect.anything()] });
});

test('a file that can not be loaded is a failure', async () => {
  const result = await runSample(`import './absent.ts'; test('never', () => {});`);
  expect(result.passed).toBe(0);
  expect(result.failed).toEqual([expect.stringMatching(/sample\.test\.ts \(the file\)$/)]);
});

test('an error outside of any test is a failure', async () => {
  const result = await runSample(`
    test('good', async () => {
      void Promise.reject(new Error('nobody waits for this'));
      await new Promise((resolve) => setTimeout(resolve, 50));
    });`);
  expect(result.passed).toBe(1);
  expect(result.failed).toEqual([expect.stringMatching(/outside of any test/)]);
});

test('test.only is a failure, and so is a run without tests', async () => {
  expect((await runSample(`test.only('alone', () => {});`)).failed).toHaveLength(1);
  expect((await runSample('')).failed).toHaveLength(1);
});

test('a suite over its budget is ended and fails', async () => {
  const result = await runSample(`test('endless', () => { for (;;); });`, 3);
  expect(result.failed).toEqual(['the suite took more than 3 s']);
});

test('a process left behind is ended and fails the run', async () => {
  const result = await runSample(`
    test('careless', async () => {
      const { spawn } = await import('node:child_process');
      spawn('sleep', ['600'], { detached: true, stdio: 'ignore' }).unref();
    });`);
  expect(result.passed).toBe(1);
  expect(result.failed).toEqual([expect.stringMatching(/^left behind: sleep 600 \(pid \d+\)$/)]);
});

test('a suite that this machine can not run is skipped by name', async () => {
  const suite = { name: 'far', files: [], budgetSeconds: 1, missing: () => 'there is no moon' };
  expect(await runSuite(suite)).toMatchObject({
    passed: 0,
    failed: [],
    skipped: ['the suite "far": there is no moon'],
  });
});

test('no suite is given more than is left of the time for all of them', () => {
  expect(SECONDS_MAX).toBeLessThan(15 * 60);
  const suite = { name: 'sample', files: [], budgetSeconds: 100 };
  expect(withinTheRest(suite, SECONDS_MAX - 200).budgetSeconds).toBe(100);
  expect(withinTheRest(suite, SECONDS_MAX - 40).budgetSeconds).toBe(40);
  expect(withinTheRest(suite, SECONDS_MAX + 1).budgetSeconds).toBe(0);
});

test('the whole has room for a half of every suite’s budget to go unused', () => {
  const seconds = SUITES.reduce((sum, suite) => sum + suite.budgetSeconds, 0);
  expect(seconds / 1.5).toBeLessThan(SECONDS_MAX);
});
