import type { Problem } from '../api/problem.ts';

/** What was refused or failed, and a way to try again where there is one. */
export function ProblemNote({ problem, retry }: { problem: Problem; retry?: () => void }) {
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
          Try again
        </button>
      )}
    </div>
  );
}
