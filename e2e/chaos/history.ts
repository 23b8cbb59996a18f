import { createWriteStream, type WriteStream } from 'node:fs';

/** The fields of an expense that clients change; `date` is the same for all. */
export interface Fields {
  readonly category: string;
  readonly amount: number;
  readonly account: string;
  readonly business: string | null;
  readonly currency: string;
  readonly notes: string | null;
}

/** An expense as the API and `expenses.json` spell it. */
export interface Expense extends Fields {
  readonly id: number;
  readonly date: string;
}

/** What a client asks for. Every written text is unique in its run. */
export type Call =
  | { readonly kind: 'create'; readonly set: Fields }
  | { readonly kind: 'update'; readonly id: number; readonly set: Partial<Fields> }
  | { readonly kind: 'delete'; readonly id: number }
  | { readonly kind: 'bulk-delete'; readonly ids: readonly number[] }
  | { readonly kind: 'read'; readonly id: number }
  /** The newest records; all have one date, so the list is without a gap down to its lowest id. */
  | { readonly kind: 'list' };

/** What a client was told. `failed`: it was promised that nothing was written. */
export type Outcome = 'ok' | 'failed' | 'unknown';

export interface Operation {
  /** A client's number, or who else did it: `editor`. */
  readonly client: string;
  readonly call: Call;
  /** Of the first attempt's beginning and the last one's end, in ms of one clock. */
  readonly startMs: number;
  /** Infinity while nothing is known. */
  readonly endMs: number;
  readonly outcome: Outcome;
  /** The last answer's status, or why there was none. */
  readonly told: string;
  readonly attempts: number;
  /** The api that gave the last answer. */
  readonly via?: string;
  readonly key?: string;
  /** The same request and key as an operation that was acknowledged before: it has no effect. */
  readonly isRepeat?: true;
  /** Of an acknowledged write or a read; `null`: there is no such record. */
  readonly record?: Expense | null;
  /** Of a list. */
  readonly records?: readonly Expense[];
  /** Of a bulk deletion. */
  readonly count?: number;
}

/** Keeps every operation, and writes it down as it ends. */
export class History {
  readonly operations: Operation[] = [];
  readonly #file: WriteStream;

  constructor(file: string) {
    this.#file = createWriteStream(file);
  }

  add(operation: Operation): void {
    this.operations.push(operation);
    this.#file.write(`${JSON.stringify(operation)}\n`);
  }

  /** How many ended in each way. */
  counts(): Readonly<Record<Outcome, number>> {
    const counts = { ok: 0, failed: 0, unknown: 0 };
    for (const { outcome } of this.operations) counts[outcome] += 1;
    return counts;
  }

  close(): Promise<void> {
    return new Promise((settle) => this.#file.end(settle));
  }
}
