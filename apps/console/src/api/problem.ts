/** An answer that is none: what `application/problem+json` said, or that nothing was answered. */
export class Problem extends Error {
  /** 0: there was no answer. */
  readonly status: number;
  /** Stable, e.g. `/problems/conflict`. */
  readonly type: string;
  readonly errors: readonly { readonly field: string; readonly problem: string }[];

  constructor(detail: string, status: number, type = '', errors: Problem['errors'] = []) {
    super(detail);
    this.name = 'Problem';
    this.status = status;
    this.type = type;
    this.errors = errors;
  }
}

/** Reads a refusal; one without a problem document comes from something in between. */
export async function problemOf(answer: Response): Promise<Problem> {
  const { status } = answer;
  try {
    const { detail, type, errors } = await answer.json();
    if (typeof detail === 'string') return new Problem(detail, status, type, errors ?? []);
  } catch {
    // Not JSON: the status says all there is.
  }
  return new Problem(`The answer was ${status} ${answer.statusText}.`, status);
}

/** Whatever was thrown, as a problem to be shown. */
export const asProblem = (error: unknown): Problem =>
  error instanceof Problem
    ? error
    : new Problem(error instanceof Error ? error.message : String(error), 0);
