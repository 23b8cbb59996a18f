import type { Stamp } from './stamp.ts';

export type ChangeOperation = 'create' | 'update' | 'delete';

/**
 * The full new state of one record, or its deletion.
 *
 * `record` is the canonical text (`collections/record-text.ts`), `null` for a deletion. `base` is the
 * state the change was computed from, `null` for a creation. `at` is an ISO instant in UTC.
 */
export interface Change extends Stamp {
  readonly collection: string;
  readonly id: number;
  readonly base: Stamp | null;
  readonly op: ChangeOperation;
  readonly record: string | null;
  readonly at: string;
  readonly idempotencyKey?: string;
}

/**
 * An `Idempotency-Key` and the outcome of the write it named: an item of its own in commit, outbox
 * and backfill (I10), so that it holds although its change arrives late and is a no-op.
 *
 * `fingerprint` is a digest of the request, `outcome` the JSON text of the write's {@link Outcome}.
 */
export interface KeyItem {
  readonly key: string;
  readonly fingerprint: string;
  readonly outcome: string;
  readonly at: string;
}

/**
 * What an outbox carries and a secondary applies. `trace` travels beside it, never in it: the
 * `traceparent` of the request it came from (W3C Trace Context), where that is traced.
 */
export type Item =
  | { readonly kind: 'change'; readonly change: Change; readonly trace?: string }
  | { readonly kind: 'key'; readonly key: KeyItem; readonly trace?: string };

/** Version 00, sampled or not; anything else is not carried on. */
const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** `{ trace }` if the value is one, else nothing: to be spread into an item. */
export const traceOf = (value: unknown): { trace?: string } =>
  typeof value === 'string' && TRACEPARENT.test(value) ? { trace: value } : {};
