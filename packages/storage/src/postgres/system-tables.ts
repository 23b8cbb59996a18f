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
  sql,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from '../collections/drizzle.ts';

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
    /** How far the catch-up is that this process runs; `NULL` while it runs none. */
    catch_up: json(),
    /** What it has done since it began. */
    work: json(),
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

/** The ledger of differences between the stores: every one that verify, apply or a shadow read ever
 *  found, with both sides, until it ended and how (`consistency/divergence-ledger.ts`). */
export const divergences = pgTable(
  'divergences',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    /** `expense 5`, or `key …`: what it is about. */
    subject: text().notNull(),
    collection: text(),
    record_id: count(),
    key: text(),
    class: text().notNull(),
    kind: text().notNull(),
    found_by: text().notNull(),
    /** The store that was secondary. */
    secondary: text().notNull(),
    primary_epoch: count(),
    primary_version: count(),
    primary_text: text(),
    secondary_epoch: count(),
    secondary_version: count(),
    secondary_text: text(),
    detail: text(),
    /** Of a fork or conflict that applying met: the whole change that was kept out, and a digest of its
     *  record. A change that is delivered again is listed once. */
    incoming: json(),
    digest: text(),
    first_seen: instant().notNull(),
    last_seen: instant().notNull(),
    /** The verify run that saw it last. */
    last_run: integer(),
    /** Since when a repair of it is on its way. */
    repaired_at: instant(),
    resolved_at: instant(),
    /** How it ended, e.g. `repaired`; what an operator typed. */
    resolution: text(),
    resolved_by: text(),
    reason: text(),
  },
  (table) => [
    uniqueIndex('divergences_once')
      .on(
        table.collection,
        table.record_id,
        table.primary_epoch,
        table.primary_version,
        table.digest,
      )
      .where(sql`${table.found_by} = 'apply'`),
    uniqueIndex('divergences_one_open_a_subject')
      .on(table.subject)
      .where(sql`${table.found_by} <> 'apply' AND ${table.resolved_at} IS NULL`),
    index('divergences_open').on(table.subject).where(sql`${table.resolved_at} IS NULL`),
    index('divergences_of_run').on(table.last_run),
    check(
      'divergences_class_is_one',
      sql`${table.class} IN ('dead-lettered', 'mapping-error', 'fork', 'conflict', 'divergent')`,
    ),
    check('divergences_kind_is_one', sql`${table.kind} IN ('missing', 'extra', 'different')`),
    check('divergences_found_by_one', sql`${table.found_by} IN ('verify', 'apply', 'shadow-read')`),
    check(
      'divergences_of_record_or_key',
      sql`(${table.collection} IS NULL) = (${table.record_id} IS NULL) AND (${table.collection} IS NULL) <> (${table.key} IS NULL)`,
    ),
  ],
);

/** Open differences of a collection that keep no gate closed; without a row none are allowed. */
export const divergenceBudgets = pgTable(
  'divergence_budgets',
  { collection: text().primaryKey(), allowed: integer().notNull() },
  (table) => [check('divergence_budgets_are_counts', sql`${table.allowed} >= 0`)],
);

/** Ranges of ids that something was written in, since they were compared last. A row is added by every
 *  statement, in its own transaction (triggers), and by the relay; never changed by them, so that no two
 *  wait for each other. */
export const dirtyRanges = pgTable('dirty_ranges', {
  id: bigint({ mode: 'number' }).primaryKey().generatedAlwaysAsIdentity(),
  collection: text().notNull(),
  /** `floor(id / 1024)`; -1: the whole collection. */
  range: count().notNull(),
  /** The verify run that looks at it now. */
  taken_by: integer(),
});

/** What operators ask of the process that holds the JSON store: to verify, to repair. */
export const consistencyOrders = pgTable(
  'consistency_orders',
  {
    id: integer().primaryKey().generatedAlwaysAsIdentity(),
    kind: text().notNull(),
    asked_at: instant().notNull(),
    actor: text().notNull(),
    reason: text().notNull(),
    /** What it is about; by kind. */
    scope: json().notNull(),
    state: text().notNull().default('waiting'),
    taken_by: text(),
    /** Told now and then by whoever has it: one that falls silent has died, and another takes it. */
    alive_at: instant(),
    progress: json(),
    finished_at: instant(),
    result: json(),
  },
  (table) => [
    index('consistency_orders_open')
      .on(table.id)
      .where(sql`${table.state} IN ('waiting', 'taken')`),
    check('consistency_orders_kind_is_one', sql`${table.kind} IN ('verify', 'repair', 'backfill')`),
    check(
      'consistency_orders_state_is_one',
      sql`${table.state} IN ('waiting', 'taken', 'done', 'failed', 'withdrawn')`,
    ),
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
    /** Everything was looked at, or what had changed. */
    mode: text().notNull().default('full'),
    /** Of a run under way, or cut off: where it is, to go on from. */
    progress: json(),
    /** The secondary was written and complete: what differed said something. */
    follows: boolean().notNull().default(true),
    /** Idempotency keys given before are compared. */
    keys_until: instant(),
    /** How many records come through primary, secondary and primary again unchanged. */
    readiness: json(),
  },
  (table) => [
    check('verify_runs_mode_is_one', sql`${table.mode} IN ('full', 'changed')`),
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
    record_id: count(),
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
