/**
 * The closed list of operating errors. Each has a stable code (the last part of the API's problem
 * `type`), the status the API answers with, and a sentence for a person. Impossible states are
 * plain `Error`s: they are asserted, and crash.
 */
const ERRORS = {
  invalid: 422,
  'not-a-field': 400,
  malformed: 400,
  'not-found': 404,
  conflict: 409,
  'precondition-failed': 412,
  'too-large': 413,
  'unsupported-media-type': 415,
  'key-reused': 422,
  unauthorized: 401,
  forbidden: 403,
  'not-primary': 503,
  unavailable: 503,
  'outcome-unknown': 503,
  'storage-failed': 503,
  overloaded: 503,
  'storage-full': 507,
  /** Start and operator errors: they have no response, the process ends with the sentence. */
  configuration: 500,
  'lock-held': 500,
  'refused-to-open': 500,
  'mismatched-stores': 500,
} as const;

export type ErrorCode = keyof typeof ERRORS;
export const ERROR_CODES = Object.keys(ERRORS) as ErrorCode[];

/** The status the API answers an error of this code with. */
export const statusOf = (code: ErrorCode): number => ERRORS[code];

/** An operating error. `detail` holds the fields that matter, never record content or secrets. */
export class TandemError extends Error {
  readonly code: ErrorCode;
  readonly status: number;
  readonly detail: Readonly<Record<string, unknown>>;

  constructor(
    code: ErrorCode,
    sentence: string,
    options: { detail?: Record<string, unknown>; cause?: unknown } = {},
  ) {
    super(sentence, options.cause === undefined ? {} : { cause: options.cause });
    this.name = 'TandemError';
    this.code = code;
    this.status = ERRORS[code];
    this.detail = options.detail ?? {};
  }
}

export const isTandemError = (error: unknown, code?: ErrorCode): error is TandemError =>
  error instanceof TandemError && (code === undefined || error.code === code);

/** A sentence about anything that was thrown, NUL characters removed (pg-boss can't store them). */
export function sentenceOf(error: unknown): string {
  const text =
    error instanceof AggregateError && error.message === ''
      ? error.errors.map((inner) => sentenceOf(inner)).join('; ')
      : error instanceof Error
        ? error.message || error.name
        : String(error);
  return text.replaceAll('\0', '�');
}
