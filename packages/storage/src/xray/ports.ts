import type { Change, KeyItem, Stamp } from '../changes/index.ts';
import type { LedgerEntry } from '../consistency/index.ts';
import type { JsonPhaseState, PostgresPhaseState, StoreName } from '../phase/index.ts';
import type { ScanEntry } from '../store.ts';

/** What names one record. */
export interface RecordName {
  readonly collection: string;
  readonly id: number;
}

/** A change of the record that still stands in the journal. */
export interface JournalChange {
  /** Its place in the outbox; `null` where the phase had none. */
  readonly seq: number | null;
  readonly change: Change;
}

/** What the files of the JSON store say of one record. */
export interface JsonTrace {
  readonly phase: JsonPhaseState;
  /** The record or its tombstone, as of the last whole batch. */
  readonly entry: ScanEntry | undefined;
  /** False for a mapping error: the schema can't hold it. */
  readonly fits: boolean;
  /** Oldest first; the latest of many. Segments that were relayed and are covered by a checkpoint are
   *  gone, and their changes with them. */
  readonly changes: readonly JournalChange[];
  /** Keys of those changes, with what they stand for. */
  readonly keys: readonly KeyItem[];
}

/** What an operator did to a dead letter of the record. */
export interface RecordAct extends Stamp {
  readonly at: string;
  readonly actor: string;
  readonly action: string;
  readonly reason: string;
  /** The change itself, where the log kept it (discarded letters). */
  readonly change: Change | null;
}

/** What PostgreSQL says of one record. */
export interface PostgresTrace {
  readonly phase: PostgresPhaseState;
  readonly entry: ScanEntry | undefined;
  /** Up to which outbox item of the pair's JSON store the queue has everything. */
  readonly relayedSeq: number;
  /** What the ledger has of it, ended or not. */
  readonly divergences: readonly LedgerEntry[];
  readonly acts: readonly RecordAct[];
}

/** A secondary-write job of the record, or its dead letter. */
export interface RecordJob {
  readonly jobId: string;
  /** The store it is meant for. */
  readonly direction: StoreName;
  /** `waiting`; `failed`: waits for another try; `active`: a worker has it in hand; `dead`. */
  readonly state: 'waiting' | 'failed' | 'active' | 'dead';
  readonly change: Change;
  /** Of the last failure. */
  readonly cause: string | null;
  readonly error: string | null;
  readonly failures: number;
  readonly attempts: readonly {
    readonly at: string;
    readonly cause: string;
    readonly error: string;
  }[];
  /** ISO instants: since when it is in its queue, and when it may be fetched. */
  readonly since: string;
  readonly startAfter: string;
}

/** Port: the JSON store beside whoever holds it. Implemented in `json/`. */
export interface JsonRecords {
  /** @throws {TandemError} `unavailable` before there is a store; `refused-to-open` when it is damaged */
  trace(record: RecordName): Promise<JsonTrace>;
}

/** Port, implemented in `postgres/`. */
export interface PostgresRecords {
  /** @throws {TandemError} `unavailable`, `storage-failed` */
  trace(record: RecordName): Promise<PostgresTrace>;
  /** What the keys stand for, of those it knows. */
  keys(keys: readonly string[]): Promise<readonly KeyItem[]>;
}

/** Port, implemented in `replication/`. */
export interface RecordJobs {
  /** Oldest change first; the latest of many. */
  ofRecord(record: RecordName): Promise<readonly RecordJob[]>;
}
