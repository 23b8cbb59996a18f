/** What became of the tests of one suite, by full name. */
export interface Tally {
  readonly passed: number;
  readonly failed: readonly string[];
  readonly skipped: readonly string[];
}

/** How a process ended: its exit status, or the signal that ended it. */
export type Status = number | string;

/** The part of vitest's JSON report that is read here. */
interface Report {
  readonly testResults: readonly {
    readonly name: string;
    readonly status: string;
    readonly assertionResults: readonly { readonly fullName: string; readonly status: string }[];
  }[];
}

/**
 * Counts a vitest JSON report. What fails without a test of its own counts too: a file that could not
 * be loaded, and an error outside of any test, which only vitest's exit status tells.
 */
export function tallyOf(report: Report, vitestEnded: Status): Tally {
  const failed: string[] = [];
  const skipped: string[] = [];
  let passed = 0;
  for (const file of report.testResults) {
    const before = failed.length;
    for (const { fullName, status } of file.assertionResults) {
      if (status === 'passed') passed += 1;
      else if (status === 'failed') failed.push(fullName);
      else skipped.push(fullName);
    }
    if (file.status === 'failed' && failed.length === before)
      failed.push(`${file.name} (the file)`);
  }
  if (vitestEnded !== 0 && failed.length === 0) {
    failed.push(`an error outside of any test (vitest ended with ${vitestEnded})`);
  }
  if (passed + failed.length + skipped.length === 0) failed.push('no test was found');
  return { passed, failed, skipped };
}
