import type { ErrorCode } from '@tandem/storage/errors';

/** Problems of the transport, which no store knows, with their status. */
export const TRANSPORT_STATUS = {
  'method-not-allowed': 405,
  'request-timeout': 408,
  'uri-too-long': 414,
  'rate-limited': 429,
  'headers-too-large': 431,
  internal: 500,
} as const;

/** Errors of a start or of an operator: the process ends with their sentence, no request sees them. */
type StartCode = 'configuration' | 'lock-held' | 'refused-to-open' | 'mismatched-stores';

export type ProblemCode = Exclude<ErrorCode, StartCode> | keyof typeof TRANSPORT_STATUS;

export interface ProblemKind {
  /** The same for every occurrence (RFC 9457). */
  readonly title: string;
  /** What has happened, and what has not. */
  readonly meaning: string;
  /** What a client does about it. */
  readonly remedy: string;
  /** Seconds a client waits before it repeats the request: the header Retry-After. */
  readonly retryAfterS?: number;
}

/** A primary that is being changed or looked for: it is a matter of a second or two. */
const SOON_S = 1;
/** What is counted is counted anew within this time. */
const WINDOW_S = 60;
/** Somebody has to make room first. */
const ROOM_S = 10;

/** Every problem the API answers with. `GET /problems/{code}` and `docs/problems.md` show them. */
export const problemCatalogue: Readonly<Record<ProblemCode, ProblemKind>> = {
  invalid: {
    title: 'The request is invalid',
    meaning:
      'A value is missing, of another type or out of its bounds. `errors` names each field and what is wrong with it. Nothing was written: values are never rounded, cut or converted to make them fit.',
    remedy: 'Correct what `errors` names and send the request again.',
  },
  'not-a-field': {
    title: 'There is no such field',
    meaning:
      'PATCH names a field that the collection does not have, or one that can not be set, such as `id`. Nothing was written.',
    remedy: 'Name one of the fields that `detail` lists.',
  },
  malformed: {
    title: 'The request can not be read',
    meaning: 'The body is not JSON in UTF-8, or the request is not HTTP. Nothing was written.',
    remedy: 'Correct the program that made the request; repeated as it is, it fails again.',
  },
  'not-found': {
    title: 'There is no such record or route',
    meaning:
      'No record has this id: it was never given, or the record was deleted. Or the path is none of this API.',
    remedy:
      'Forget the id: ids are never given again. For a path, see `/docs`, which lists them all.',
  },
  conflict: {
    title: 'The request conflicts with the present state',
    meaning: 'What was asked for is not possible in the present state. Nothing was changed.',
    remedy: 'Read the state and decide anew.',
  },
  'precondition-failed': {
    title: 'The record has changed',
    meaning: 'None of the entity tags in If-Match is the present one. Nothing was written.',
    remedy: 'Read the record again and decide anew.',
  },
  'too-large': {
    title: 'The body is too large',
    meaning: 'A body may have 1 MiB. Nothing was written.',
    remedy: 'Send less at once.',
  },
  'unsupported-media-type': {
    title: 'The body is not JSON',
    meaning:
      'The Content-Type or the Content-Encoding is none that is read here. Nothing was written.',
    remedy: 'Send the body as `Content-Type: application/json`, not compressed.',
  },
  'key-reused': {
    title: 'The Idempotency-Key belongs to another request',
    meaning: 'This key came before with another method, path or body. Nothing was written.',
    remedy: 'Use a new key for a new request.',
  },
  unauthorized: {
    title: 'A token is needed',
    meaning: 'The request brings no token, or none that is known. Nothing was done.',
    remedy: 'Send a valid token as `Authorization: Bearer …`.',
  },
  forbidden: {
    title: 'The token does not allow this',
    meaning: 'The token is valid, yet not for this request. Nothing was done.',
    remedy: 'Use a token that allows it.',
  },
  'not-primary': {
    title: 'This process does not serve at present',
    meaning:
      'The primary store is being changed, or another process holds it. Nothing was written.',
    remedy: 'Repeat the request after the seconds in Retry-After.',
    retryAfterS: SOON_S,
  },
  unavailable: {
    title: 'The primary store can not be reached',
    meaning: 'What the request needs does not answer. Nothing was written.',
    remedy: 'Repeat the request after the seconds in Retry-After; `/readyz` says what is missing.',
    retryAfterS: SOON_S,
  },
  'outcome-unknown': {
    title: 'It is not known whether the write happened',
    meaning:
      'The connection to the database was cut while it committed. The write either happened as a whole or not at all.',
    remedy:
      'Repeat the request with the same Idempotency-Key: it has one effect. Without a key, read the record first.',
    retryAfterS: SOON_S,
  },
  'storage-failed': {
    title: 'The storage can not promise durability at present',
    meaning:
      'The disk reported an error. Nothing is acknowledged until the store was recovered from it.',
    remedy: 'Repeat the request with the same Idempotency-Key after the seconds in Retry-After.',
    retryAfterS: SOON_S,
  },
  overloaded: {
    title: 'Too many requests wait already',
    meaning: 'The bound of what may wait in memory is reached. Nothing was written.',
    remedy: 'Repeat the request after the seconds in Retry-After.',
    retryAfterS: SOON_S,
  },
  'storage-full': {
    title: 'The disk is full',
    meaning:
      'Nothing was written. Reads go on; writes are accepted again as soon as there is room.',
    remedy: 'Tell an operator, and repeat the request after the seconds in Retry-After.',
    retryAfterS: ROOM_S,
  },
  'method-not-allowed': {
    title: 'The path does not have this method',
    meaning: 'There is such a path, with other methods. Nothing was done.',
    remedy: 'Use one of the methods in the header Allow.',
  },
  'request-timeout': {
    title: 'The request took too long to arrive',
    meaning: 'The connection was closed before the whole request was there. Nothing was done.',
    remedy: 'Send the request again, at once.',
  },
  'uri-too-long': {
    title: 'The path is too long',
    meaning: 'A part of the path is longer than any that exists.',
    remedy: 'Correct the path.',
  },
  'rate-limited': {
    title: 'There were too many requests',
    meaning:
      'Too many tokens from this address were refused, or more requests came than a client may send. Nothing was done.',
    remedy: 'Repeat the request after the seconds in Retry-After.',
    retryAfterS: WINDOW_S,
  },
  'headers-too-large': {
    title: 'The headers are too large',
    meaning: 'The headers of a request may have 16 KiB. Nothing was done.',
    remedy: 'Send fewer or shorter headers.',
  },
  internal: {
    title: 'Something unexpected went wrong',
    meaning:
      'It is not known whether a write happened. The log has the reason under the request’s id (`instance`, header X-Request-Id).',
    remedy:
      'Repeat a write with the same Idempotency-Key: it has one effect. Tell an operator the id.',
  },
};

export const isProblemCode = (code: string): code is ProblemCode =>
  Object.hasOwn(problemCatalogue, code);
