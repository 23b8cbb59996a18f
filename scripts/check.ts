// npm run check: types, lint, format, dependency directions, dead code.
import { printStep, runChecks } from './checks/check-steps.ts';

const results = runChecks(printStep);
const failed = results.filter((result) => !result.passed).length;
console.log(`${results.length - failed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
