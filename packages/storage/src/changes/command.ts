import type { Collection, FieldProblem, FieldValues } from '../collections/index.ts';
import type { Stamp } from './stamp.ts';

/** `If-Match`: the stamps a client accepts, or `*` for any existing record. */
export type Precondition = readonly Stamp[] | '*';

/** One write a client asks the primary for. Values are canonical (`collections/input.ts`). */
export type Command =
  | { readonly op: 'create'; readonly collection: Collection; readonly values: FieldValues }
  | {
      readonly op: 'update';
      readonly collection: Collection;
      readonly id: number;
      readonly set: FieldValues;
      readonly ifMatch?: Precondition;
    }
  | {
      readonly op: 'delete';
      readonly collection: Collection;
      readonly id: number;
      readonly ifMatch?: Precondition;
    }
  | {
      readonly op: 'bulk-delete';
      readonly collection: Collection;
      readonly ids: readonly number[];
    }
  | Rewrite;

/**
 * A repair: the record's present state anew as a later version, so that it replicates by the normal
 * way. No client asks for it.
 */
export interface Rewrite {
  readonly op: 'rewrite';
  readonly collection: Collection;
  readonly id: number;
  /** What the secondary has, or this store's tombstone, whichever is later: the new version is above
   *  it. */
  readonly above: Stamp | null;
  /** Content to write in place of the present one, `null` for none, if the record is still at `at`
   *  (`null`: there is no live record). */
  readonly instead?: { readonly text: string | null; readonly at: Stamp | null };
}

/** A command with the `Idempotency-Key` it came under, and its `traceparent`, if any. */
export interface Write {
  readonly command: Command;
  readonly trace?: string;
  readonly key?: { readonly key: string; readonly fingerprint: string };
}

/** What a write did. Plain JSON: it is what an idempotency key remembers. */
export type Outcome =
  | {
      readonly kind: 'created' | 'updated';
      readonly id: number;
      readonly epoch: number;
      readonly version: number;
      readonly text: string;
    }
  | { readonly kind: 'deleted'; readonly id: number }
  | { readonly kind: 'bulk-deleted'; readonly count: number }
  | { readonly kind: 'not-found'; readonly id: number }
  | { readonly kind: 'precondition-failed'; readonly id: number; readonly current: Stamp }
  /** An update of a mapping error whose result still does not fit. */
  | { readonly kind: 'invalid'; readonly id: number; readonly problems: readonly FieldProblem[] };
