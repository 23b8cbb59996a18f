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
  /** What it means and what a client does about it. */
  readonly explanation: string;
}

/** Every problem the API answers with. `GET /problems/{code}` shows an entry. */
export const problemCatalogue: Readonly<Record<ProblemCode, ProblemKind>> = {
  invalid: {
    title: 'The request is invalid',
    explanation:
      'A value is missing, of another type or out of its bounds. `errors` names each field and what is wrong with it. Nothing was written. Values are never rounded, cut or converted to make them fit.',
  },
  'not-a-field': {
    title: 'There is no such field',
    explanation:
      'PATCH names a field that the collection does not have, or one that can not be set, such as `id`. Nothing was written.',
  },
  malformed: {
    title: 'The request can not be read',
    explanation: 'The body is not JSON in UTF-8, or the request is not HTTP. Nothing was written.',
  },
  'not-found': {
    title: 'There is no such record or route',
    explanation:
      'No record has this id: it was never given, or the record was deleted. Ids are never given again. Or the path is none of this API: `/docs` lists them.',
  },
  conflict: {
    title: 'The request conflicts with the present state',
    explanation:
      'What was asked for is not possible in the present state. Read it and decide anew.',
  },
  'key-in-flight': {
    title: 'The first request under this key is still being worked on',
    explanation:
      'Another request with the same Idempotency-Key has not ended yet. Repeat the request a moment later: it will have the first one’s answer.',
  },
  'precondition-failed': {
    title: 'The record has changed',
    explanation:
      'None of the entity tags in If-Match is the present one. Nothing was written. Read the record again and decide anew.',
  },
  'too-large': {
    title: 'The body is too large',
    explanation: 'A body may have 1 MiB. Nothing was written.',
  },
  'unsupported-media-type': {
    title: 'The body is not JSON',
    explanation: 'Send the body as `Content-Type: application/json`. Nothing was written.',
  },
  'key-reused': {
    title: 'The Idempotency-Key belongs to another request',
    explanation:
      'This key came before with another method, path or body. Nothing was written. Use a new key for a new request.',
  },
  unauthorized: {
    title: 'A token is needed',
    explanation: 'Send a valid token as `Authorization: Bearer …`.',
  },
  forbidden: {
    title: 'The token does not allow this',
    explanation: 'The token is valid, yet not for this request.',
  },
  'not-primary': {
    title: 'This process does not serve at present',
    explanation:
      'The primary store is being changed, or another process holds it. Nothing was written. Repeat the request after the seconds in Retry-After.',
  },
  unavailable: {
    title: 'The primary store can not be reached',
    explanation:
      'Nothing was written. Repeat the request after the seconds in Retry-After; `/readyz` says what is missing.',
  },
  'outcome-unknown': {
    title: 'It is not known whether the write happened',
    explanation:
      'The connection to the database was cut while it committed. The write either happened as a whole or not at all. Repeat the request with the same Idempotency-Key: it has one effect. Without a key, read the record first.',
  },
  'storage-failed': {
    title: 'The storage can not promise durability at present',
    explanation:
      'The disk reported an error. Nothing is acknowledged until the store was recovered from it. Repeat the request with the same Idempotency-Key after the seconds in Retry-After.',
  },
  overloaded: {
    title: 'Too many requests wait already',
    explanation: 'Nothing was written. Repeat the request after the seconds in Retry-After.',
  },
  'storage-full': {
    title: 'The disk is full',
    explanation:
      'Nothing was written. Reads go on; writes are accepted again as soon as there is room.',
  },
  'method-not-allowed': {
    title: 'The path does not have this method',
    explanation: 'The header Allow lists the methods of the path.',
  },
  'request-timeout': {
    title: 'The request took too long to arrive',
    explanation: 'The connection was closed before the whole request was there.',
  },
  'uri-too-long': {
    title: 'The path is too long',
    explanation: 'A part of the path is longer than any that exists.',
  },
  'rate-limited': {
    title: 'There were too many requests',
    explanation:
      'Too many tokens from this address were refused, or more requests came than a client may send. Nothing was written. Repeat the request after the seconds in Retry-After.',
  },
  'headers-too-large': {
    title: 'The headers are too large',
    explanation: 'The headers of a request may have 16 KiB.',
  },
  internal: {
    title: 'Something unexpected went wrong',
    explanation:
      'The log has the reason under the request’s id (`instance`, header X-Request-Id). It is not known whether a write happened: repeat it with the same Idempotency-Key.',
  },
};

export const isProblemCode = (code: string): code is ProblemCode =>
  Object.hasOwn(problemCatalogue, code);
