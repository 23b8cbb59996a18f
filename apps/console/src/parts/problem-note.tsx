import type { Problem } from '../api/problem.ts';

/** What was refused or failed, and a way to try again where there is one. */
export function ProblemNote({
  problem,
  retry,
  retryWords = 'Try again',
}: {
  problem: Problem;
  retry?: (() => void) | undefined;
  retryWords?: string;
}) {
  return (
    <div class="note tone-bad" role="alert">
      <p>
        <span aria-hidden="true" class="shape">
          ✕
        </span>
        {problem.message}
      </p>
      {problem.errors.length > 0 && (
        <ul>
          {problem.errors.map((error) => (
            <li key={error.field}>
              <code>{error.field}</code> {error.problem}
            </li>
          ))}
        </ul>
      )}
      {retry !== undefined && (
        <button type="button" class="secondary outline" onClick={retry}>
          {retryWords}
        </button>
      )}
    </div>
  );
}
