import { errorFingerprint } from './error-fingerprint.ts';

/** Why a job can't be done; `cause` is a stable word for people and filters. */
export interface JobProblem {
  readonly cause: string;
  readonly error: string;
}

/** One failed attempt. */
export interface JobAttempt extends JobProblem {
  /** ISO instant. */
  readonly at: string;
}

/** Why a job failed: the output pg-boss keeps with it, and passes on to its dead letter. */
export interface JobFailure extends JobAttempt {
  /** Failures of the record itself so far, this one included; a redriven job begins anew. */
  readonly failures: number;
  /** Names the kind of failure (`error-fingerprint.ts`). */
  readonly fingerprint: string;
  /** Every attempt, this one included and those before a redrive too, oldest first: the first and the
   *  last ones where there were many. */
  readonly attempts: readonly JobAttempt[];
  /** How often an operator put it back into its queue. */
  readonly redriven: number;
}

/** What a job remembers of its failures before this one. */
export type PastFailures = Pick<JobFailure, 'failures' | 'attempts' | 'redriven'>;

/** Attempts kept with a job: the first one, and the latest. */
const ATTEMPTS_MAX = 16;
/** Characters. A job carries them for as long as it lives, and so do a hundred thousand of its kind. */
const ERROR_CHARACTERS_MAX = 4_000;
const ATTEMPT_ERROR_CHARACTERS_MAX = 400;

export const NEVER_FAILED: PastFailures = { failures: 0, attempts: [], redriven: 0 };

/** The failure a job keeps after it failed once more. */
export function nextFailure(past: PastFailures, problem: JobProblem, at: string): JobFailure {
  const { cause } = problem;
  const error = storable(problem.error, ERROR_CHARACTERS_MAX);
  const attempt = { at, cause, error: storable(error, ATTEMPT_ERROR_CHARACTERS_MAX) };
  return {
    ...{ cause, error, at, failures: past.failures + 1, redriven: past.redriven },
    fingerprint: errorFingerprint(cause, error),
    attempts: bounded([...past.attempts, attempt]),
  };
}

const bounded = (attempts: readonly JobAttempt[]): readonly JobAttempt[] =>
  attempts.length <= ATTEMPTS_MAX
    ? attempts
    : [...attempts.slice(0, 1), ...attempts.slice(1 - ATTEMPTS_MAX)];

/** A text with NUL or a lone surrogate is no `jsonb`: the failing would fail, and the job be stuck. */
function storable(error: string, charactersMax: number): string {
  const cut = error.length > charactersMax ? `${error.slice(0, charactersMax)} …` : error;
  return cut.replaceAll('\0', '\uFFFD').toWellFormed();
}

/** Reads back what a job carries, trusting nothing: pg-boss writes failures of its own. */
export function readPastFailures(output: unknown): PastFailures {
  if (!isObject(output)) return NEVER_FAILED;
  const { failures, attempts, redriven } = output;
  return {
    failures: countOf(failures),
    attempts: Array.isArray(attempts) ? attempts.filter(isAttempt) : [],
    redriven: countOf(redriven),
  };
}

const countOf = (value: unknown): number =>
  typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 ? value : 0;

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const isAttempt = (value: unknown): value is JobAttempt =>
  isObject(value) &&
  typeof value.at === 'string' &&
  typeof value.cause === 'string' &&
  typeof value.error === 'string';
