CREATE TABLE "consistency_orders" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "consistency_orders_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"kind" text NOT NULL,
	"asked_at" timestamp with time zone NOT NULL,
	"actor" text NOT NULL,
	"reason" text NOT NULL,
	"scope" json NOT NULL,
	"state" text DEFAULT 'waiting' NOT NULL,
	"taken_by" text,
	"alive_at" timestamp with time zone,
	"progress" json,
	"finished_at" timestamp with time zone,
	"result" json,
	CONSTRAINT "consistency_orders_kind_is_one" CHECK ("consistency_orders"."kind" IN ('verify', 'repair')),
	CONSTRAINT "consistency_orders_state_is_one" CHECK ("consistency_orders"."state" IN ('waiting', 'taken', 'done', 'failed', 'withdrawn'))
);
--> statement-breakpoint
CREATE TABLE "dirty_ranges" (
	"id" bigint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "dirty_ranges_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 9223372036854775807 START WITH 1 CACHE 1),
	"collection" text NOT NULL,
	"range" bigint NOT NULL,
	"taken_by" integer
);
--> statement-breakpoint
CREATE TABLE "divergence_budgets" (
	"collection" text PRIMARY KEY NOT NULL,
	"allowed" integer NOT NULL,
	CONSTRAINT "divergence_budgets_are_counts" CHECK ("divergence_budgets"."allowed" >= 0)
);
--> statement-breakpoint
ALTER TABLE "divergences" DROP CONSTRAINT "divergences_once";--> statement-breakpoint
ALTER TABLE "divergences" DROP CONSTRAINT "divergences_class_is_one";--> statement-breakpoint
ALTER TABLE "divergences" ALTER COLUMN "collection" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "divergences" ALTER COLUMN "record_id" SET DATA TYPE bigint;--> statement-breakpoint
ALTER TABLE "divergences" ALTER COLUMN "record_id" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "divergences" ALTER COLUMN "digest" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "divergences" ALTER COLUMN "incoming" DROP NOT NULL;--> statement-breakpoint
ALTER TABLE "verify_differences" ALTER COLUMN "record_id" SET DATA TYPE bigint;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "subject" text;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "key" text;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "kind" text;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "found_by" text;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "secondary" text;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "primary_epoch" bigint;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "primary_version" bigint;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "primary_text" text;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "secondary_epoch" bigint;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "secondary_version" bigint;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "secondary_text" text;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "detail" text;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "last_seen" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "last_run" integer;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "repaired_at" timestamp with time zone;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "resolved_by" text;--> statement-breakpoint
ALTER TABLE "divergences" ADD COLUMN "reason" text;--> statement-breakpoint
ALTER TABLE "verify_runs" ADD COLUMN "mode" text DEFAULT 'full' NOT NULL;--> statement-breakpoint
ALTER TABLE "verify_runs" ADD COLUMN "progress" json;--> statement-breakpoint
ALTER TABLE "verify_runs" ADD COLUMN "readiness" json;--> statement-breakpoint
CREATE INDEX "consistency_orders_open" ON "consistency_orders" USING btree ("id") WHERE "consistency_orders"."state" IN ('waiting', 'taken');--> statement-breakpoint
-- What was kept of forks and conflicts so far was met by PostgreSQL as the secondary, applying.
UPDATE "divergences" SET "subject" = "collection" || ' ' || "record_id", "found_by" = 'apply',
	"secondary" = 'postgres', "last_seen" = "first_seen",
	"kind" = CASE WHEN "incoming"->>'record' IS NULL THEN 'extra'
		WHEN "stored"->>'text' IS NULL THEN 'missing' ELSE 'different' END,
	"primary_epoch" = "epoch", "primary_version" = "version", "primary_text" = "incoming"->>'record',
	"secondary_epoch" = ("stored"->>'epoch')::bigint,
	"secondary_version" = ("stored"->>'version')::bigint, "secondary_text" = "stored"->>'text';
--> statement-breakpoint
ALTER TABLE "divergences" ALTER COLUMN "subject" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "divergences" ALTER COLUMN "kind" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "divergences" ALTER COLUMN "found_by" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "divergences" ALTER COLUMN "secondary" SET NOT NULL;--> statement-breakpoint
ALTER TABLE "divergences" ALTER COLUMN "last_seen" SET NOT NULL;--> statement-breakpoint
CREATE UNIQUE INDEX "divergences_once" ON "divergences" USING btree ("collection","record_id","primary_epoch","primary_version","digest") WHERE "divergences"."found_by" = 'apply';--> statement-breakpoint
CREATE UNIQUE INDEX "divergences_one_open_a_subject" ON "divergences" USING btree ("subject") WHERE "divergences"."found_by" <> 'apply' AND "divergences"."resolved_at" IS NULL;--> statement-breakpoint
CREATE INDEX "divergences_open" ON "divergences" USING btree ("subject") WHERE "divergences"."resolved_at" IS NULL;--> statement-breakpoint
CREATE INDEX "divergences_of_run" ON "divergences" USING btree ("last_run");--> statement-breakpoint
ALTER TABLE "divergences" DROP COLUMN "epoch";--> statement-breakpoint
ALTER TABLE "divergences" DROP COLUMN "version";--> statement-breakpoint
ALTER TABLE "divergences" DROP COLUMN "stored";--> statement-breakpoint
ALTER TABLE "divergences" ADD CONSTRAINT "divergences_kind_is_one" CHECK ("divergences"."kind" IN ('missing', 'extra', 'different'));--> statement-breakpoint
ALTER TABLE "divergences" ADD CONSTRAINT "divergences_found_by_one" CHECK ("divergences"."found_by" IN ('verify', 'apply', 'shadow-read'));--> statement-breakpoint
ALTER TABLE "divergences" ADD CONSTRAINT "divergences_of_record_or_key" CHECK (("divergences"."collection" IS NULL) = ("divergences"."record_id" IS NULL) AND ("divergences"."collection" IS NULL) <> ("divergences"."key" IS NULL));--> statement-breakpoint
ALTER TABLE "divergences" ADD CONSTRAINT "divergences_class_is_one" CHECK ("divergences"."class" IN ('dead-lettered', 'mapping-error', 'fork', 'conflict', 'divergent'));--> statement-breakpoint
ALTER TABLE "verify_runs" ADD CONSTRAINT "verify_runs_mode_is_one" CHECK ("verify_runs"."mode" IN ('full', 'changed'));--> statement-breakpoint

-- Every statement that writes records or tombstones marks the ranges it touched, in its own transaction:
-- also an edit typed into psql. Rows are only ever added, so that no two transactions wait.
CREATE FUNCTION "mark_dirty"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	INSERT INTO dirty_ranges (collection, range) SELECT DISTINCT TG_ARGV[0], id >> 10 FROM changed;
	RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE FUNCTION "mark_dirty_update"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	INSERT INTO dirty_ranges (collection, range)
	SELECT TG_ARGV[0], id >> 10 FROM changed UNION SELECT TG_ARGV[0], id >> 10 FROM before;
	RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE FUNCTION "mark_dirty_tombstones"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	INSERT INTO dirty_ranges (collection, range) SELECT DISTINCT collection, id >> 10 FROM changed;
	RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE FUNCTION "mark_all_dirty"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	INSERT INTO dirty_ranges (collection, range) VALUES (TG_ARGV[0], -1);
	RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "expenses_mark_inserted" AFTER INSERT ON "expenses" REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_dirty"('expense');
--> statement-breakpoint
CREATE TRIGGER "expenses_mark_updated" AFTER UPDATE ON "expenses" REFERENCING NEW TABLE AS changed OLD TABLE AS before
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_dirty_update"('expense');
--> statement-breakpoint
CREATE TRIGGER "expenses_mark_deleted" AFTER DELETE ON "expenses" REFERENCING OLD TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_dirty"('expense');
--> statement-breakpoint
CREATE TRIGGER "expenses_mark_truncated" AFTER TRUNCATE ON "expenses"
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_all_dirty"('expense');
--> statement-breakpoint
CREATE TRIGGER "incomes_mark_inserted" AFTER INSERT ON "incomes" REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_dirty"('income');
--> statement-breakpoint
CREATE TRIGGER "incomes_mark_updated" AFTER UPDATE ON "incomes" REFERENCING NEW TABLE AS changed OLD TABLE AS before
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_dirty_update"('income');
--> statement-breakpoint
CREATE TRIGGER "incomes_mark_deleted" AFTER DELETE ON "incomes" REFERENCING OLD TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_dirty"('income');
--> statement-breakpoint
CREATE TRIGGER "incomes_mark_truncated" AFTER TRUNCATE ON "incomes"
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_all_dirty"('income');
--> statement-breakpoint
CREATE TRIGGER "tombstones_mark_inserted" AFTER INSERT ON "tombstones" REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_dirty_tombstones"();
--> statement-breakpoint
CREATE TRIGGER "tombstones_mark_updated" AFTER UPDATE ON "tombstones" REFERENCING NEW TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_dirty_tombstones"();
--> statement-breakpoint
CREATE TRIGGER "tombstones_mark_deleted" AFTER DELETE ON "tombstones" REFERENCING OLD TABLE AS changed
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_dirty_tombstones"();
--> statement-breakpoint
-- What was compared before has not been marked: the first run looks at everything.
INSERT INTO "dirty_ranges" ("collection", "range") VALUES ('expense', -1), ('income', -1);
