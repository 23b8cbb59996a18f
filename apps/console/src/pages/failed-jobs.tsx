import { route } from '../router.ts';
import { LetterPage } from './failed-jobs/letter-page.tsx';
import { LettersPage } from './failed-jobs/letters-page.tsx';

/** Secondary-write jobs that failed for good: all of them, or the one that the address names. */
export function FailedJobsPage() {
  const [jobId] = route.value.rest;
  return jobId === undefined ? <LettersPage /> : <LetterPage key={jobId} jobId={jobId} />;
}
