import { sql } from 'drizzle-orm';
import {
  bigint,
  boolean,
  check,
  customType,
  index,
  integer,
  json,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from 'drizzle-orm/pg-core';

/** Text ordered by its UTF-8 bytes, whatever the database's locale is. */
const bytewiseText = customType<{ data: string }>({ dataType: () => 'text COLLATE "C"' });

const instant = () => timestamp({ withTimezone: true, mode: 'string' });
const count = () => bigint({ mode: 'number' });

/** Flags; a row with a `user_id` speaks for that user alone and never chooses the phase. */
export const featureFlags = pgTable(
  'feature_flags',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    name: text().notNull(),
    enabled: boolean().notNull().default(false),
    user_id: text(),
    description: text().notNull().default(''),
  },
  (table) => [
    unique('feature_flags_one_row_a_name').on(table.name, table.user_id).nullsNotDistinct(),
  ],
);

/** One row: the effective phase as this database knows it (`phase/phase-state.ts`). */
export const phaseState = pgTable(
  'phase_state',
  {
    only_row: boolean().primaryKey().default(true),
    pair_id: text(),
    epoch: count().notNull().default(0),
    phase: text().notNull().default('json-only'),
    sealed: boolean().notNull().default(false),
    catch_up_since: instant(),
    attempt: text(),
  },
  (table) => [
    check('phase_state_has_one_row', sql`${table.only_row}`),
    check(
      'phase_state_phase_is_one',
      sql`${table.phase} IN ('json-only', 'json-primary', 'postgres-primary', 'postgres-only')`,
    ),
  ],
);

/** Every move of the phase row: who, when, from, to, why, and the evidence seen. */
export const phaseHistory = pgTable('phase_history', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  at: instant().notNull(),
  actor: text().notNull(),
  from_phase: text().notNull(),
  to_phase: text().notNull(),
  epoch: count().notNull(),
  reason: text().notNull(),
  evidence: json().notNull(),
});

/** What an operator asked for: the flags were written, or set back, in the same transaction. */
export const phaseIntents = pgTable(
  'phase_intents',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    at: instant().notNull(),
    actor: text().notNull(),
    act: text().notNull(),
    desired: text().notNull(),
    reason: text().notNull(),
  },
  (table) => [check('phase_intents_act_is_one', sql`${table.act} IN ('set', 'cancel')`)],
);

/** Every api and worker process that runs, as it last told (`phase/process-registry.ts`). Instants
 *  are of this server's clock: those of the processes' machines may differ. */
export const processes = pgTable(
  'processes',
  {
    id: uuid().primaryKey(),
    kind: text().notNull(),
    pid: integer().notNull(),
    host: text().notNull(),
    started_at: instant().notNull(),
    seen_at: instant().notNull(),
    effective: text(),
    epoch: count(),
    desired: text().notNull(),
    flags: json().notNull(),
    ready: boolean().notNull(),
    waiting_for: text(),
  },
  (table) => [check('processes_kind_is_one', sql`${table.kind} IN ('api', 'worker')`)],
);

/** Up to which `seq` a JSON store's outbox is in the queue; moved with the jobs it counts (I2). And how
 *  far that store was ever seen: an older copy of it that is put back is recognised (I12). */
export const relayCursor = pgTable('relay_cursor', {
  pair_id: text().primaryKey(),
  seq: count().notNull(),
  session: text(),
  batch: count(),
});

/** Deleted records; never pruned (I4). */
export const tombstones = pgTable(
  'tombstones',
  {
    collection: text().notNull(),
    id: integer().notNull(),
    epoch: count().notNull(),
    version: count().notNull(),
    at: instant().notNull(),
  },
  (table) => [primaryKey({ columns: [table.collection, table.id] })],
);

/** Idempotency keys and the JSON text of the outcome each remembers (I10). */
export const idempotencyKeys = pgTable(
  'idempotency_keys',
  {
    key: bytewiseText().primaryKey(),
    fingerprint: text().notNull(),
    outcome: text().notNull(),
    at: instant().notNull(),
  },
  (table) => [index('idempotency_keys_at').on(table.at)],
);

/** Forks and conflicts: both sides, kept for a decision (I4). `incoming` is the change, `stored` the
 *  state it met; their record stands in them as its canonical text, a JSON string. */
export const divergences = pgTable(
  'divergences',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    collection: text().notNull(),
    record_id: integer().notNull(),
    class: text().notNull(),
    epoch: count().notNull(),
    version: count().notNull(),
    /** Digest of the incoming record: a change that is delivered again is listed once. */
    digest: text().notNull(),
    incoming: json().notNull(),
    stored: json().notNull(),
    first_seen: instant().notNull(),
    resolved_at: instant(),
    resolution: text(),
  },
  (table) => [
    unique('divergences_once').on(
      table.collection,
      table.record_id,
      table.epoch,
      table.version,
      table.digest,
    ),
    check('divergences_class_is_one', sql`${table.class} IN ('fork', 'conflict')`),
  ],
);

/** Comparisons of the two stores, one row a run; a run that was cut off has no `finished_at`. */
export const verifyRuns = pgTable(
  'verify_runs',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    started_at: instant().notNull(),
    finished_at: instant(),
    /** The store that was primary; the other one was compared with it. */
    primary: text().notNull(),
    /** Where the primary stood at the start: everything up to there was looked at. */
    epoch: count().notNull(),
    outbox_seq: count().notNull(),
    seen: count(),
    keys_seen: count(),
    /** How many differences there are of each class. */
    counts: json(),
    outcome: text(),
  },
  (table) => [
    check('verify_runs_primary_is_one', sql`${table.primary} IN ('json', 'postgres')`),
    check(
      'verify_runs_outcome_is_one',
      sql`${table.outcome} IN ('clean', 'differences', 'inconclusive')`,
    ),
    check(
      'verify_runs_finish_with_an_outcome',
      sql`(${table.finished_at} IS NULL) = (${table.outcome} IS NULL)`,
    ),
  ],
);

/** The first differences of a run with both texts: of a record, or of an idempotency key. */
export const verifyDifferences = pgTable(
  'verify_differences',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    run_id: integer()
      .notNull()
      .references(() => verifyRuns.id, { onDelete: 'cascade' }),
    class: text().notNull(),
    kind: text().notNull(),
    collection: text(),
    record_id: integer(),
    key: text(),
    primary_epoch: count(),
    primary_version: count(),
    primary_text: text(),
    secondary_epoch: count(),
    secondary_version: count(),
    secondary_text: text(),
    detail: text(),
  },
  (table) => [
    index('verify_differences_of_run').on(table.run_id),
    check(
      'verify_differences_of_record_or_key',
      sql`(${table.collection} IS NULL) = (${table.record_id} IS NULL) AND (${table.collection} IS NULL) <> (${table.key} IS NULL)`,
    ),
  ],
);

/** What operators did, in the transaction that did it; never pruned. */
export const auditLog = pgTable('audit_log', {
  id: integer().primaryKey().generatedAlwaysAsIdentity(),
  at: instant().notNull(),
  actor: text().notNull(),
  action: text().notNull(),
  reason: text().notNull(),
  details: json().notNull(),
});
