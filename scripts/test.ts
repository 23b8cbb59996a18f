// npm test [-- --no-skip] [SUITE ...]: checks, then every test, against real files and a real PostgreSQL.
//
// The last line is the result: "N passed, N failed" and, if any, ", N skipped". A check step counts
// as one test. With CI=true or --no-skip a skipped test fails the run.
import { printStep, runChecks } from './checks/check-steps.ts';
import { runSuite, type SuiteResult } from './testing/run-suite.ts';
import { SUITES, withinTheRest } from './testing/suites.ts';

const args = process.argv.slice(2);
const noSkip = process.env.CI === 'true' || args.includes('--no-skip');
const wanted = args.filter((arg) => !arg.startsWith('--'));
const unknown = wanted.filter((name) => !SUITES.some((suite) => suite.name === name));
if (unknown.length > 0) {
  console.error(
    `There is no suite "${unknown[0]}"; they are ${SUITES.map((s) => `"${s.name}"`).join(', ')}.`,
  );
  process.exit(2);
}

let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.on(signal, () => {
    interrupted = true;
  });
}

const started = performance.now();
const results: SuiteResult[] = [];
if (wanted.length === 0) {
  console.log('Checks');
  const steps = runChecks(printStep);
  results.push({
    name: 'checks',
    seconds: steps.reduce((sum, step) => sum + step.seconds, 0),
    passed: steps.filter((step) => step.passed).length,
    failed: steps.filter((step) => !step.passed).map((step) => step.name),
    skipped: [],
  });
}
for (const suite of SUITES) {
  if (interrupted) break;
  if (wanted.length > 0 && !wanted.includes(suite.name)) continue;
  console.log(`\nSuite "${suite.name}"`);
  const spent = (performance.now() - started) / 1000;
  results.push(await runSuite(withinTheRest(suite, spent)));
}

const total = { passed: 0, failed: 0, skipped: 0 };
console.log('\nSummary');
for (const { name, seconds, passed, failed, skipped } of results) {
  total.passed += passed;
  total.failed += failed.length;
  total.skipped += skipped.length;
  const mark = failed.length > 0 ? '✗' : '✓';
  console.log(
    `${mark} ${name}: ${passed} passed, ${failed.length} failed, ${skipped.length} skipped (${seconds.toFixed(1)} s)`,
  );
  for (const test of failed) console.log(`    failed:  ${test}`);
  for (const test of skipped) console.log(`    skipped: ${test}`);
}
if (interrupted) console.log('The run was interrupted; some tests did not run.');
const skipsFail = noSkip && total.skipped > 0;
if (skipsFail) console.log('Here a skipped test is a failure.');
process.exitCode = total.failed > 0 || skipsFail || interrupted ? 1 : 0;
console.log(
  `${total.passed} passed, ${total.failed} failed${total.skipped > 0 ? `, ${total.skipped} skipped` : ''}`,
);
