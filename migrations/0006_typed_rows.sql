-- Not valid: a row that breaks one already is for a person to mend; no new one comes in.
ALTER TABLE "expenses" ADD CONSTRAINT "expenses_id_is_positive" CHECK ("expenses"."id" > 0) NOT VALID;--> statement-breakpoint
ALTER TABLE "expenses" ADD CONSTRAINT "expenses_extra_is_an_object" CHECK (json_typeof("expenses"."extra") = 'object') NOT VALID;--> statement-breakpoint
ALTER TABLE "incomes" ADD CONSTRAINT "incomes_id_is_positive" CHECK ("incomes"."id" > 0) NOT VALID;--> statement-breakpoint
ALTER TABLE "incomes" ADD CONSTRAINT "incomes_extra_is_an_object" CHECK (json_typeof("incomes"."extra") = 'object') NOT VALID;--> statement-breakpoint
-- Also for sessions that switch triggers off with session_replication_role, as loaders of data do.
ALTER TABLE "expenses" ENABLE ALWAYS TRIGGER "expenses_mark_inserted";--> statement-breakpoint
ALTER TABLE "expenses" ENABLE ALWAYS TRIGGER "expenses_mark_updated";--> statement-breakpoint
ALTER TABLE "expenses" ENABLE ALWAYS TRIGGER "expenses_mark_deleted";--> statement-breakpoint
ALTER TABLE "expenses" ENABLE ALWAYS TRIGGER "expenses_mark_truncated";--> statement-breakpoint
ALTER TABLE "incomes" ENABLE ALWAYS TRIGGER "incomes_mark_inserted";--> statement-breakpoint
ALTER TABLE "incomes" ENABLE ALWAYS TRIGGER "incomes_mark_updated";--> statement-breakpoint
ALTER TABLE "incomes" ENABLE ALWAYS TRIGGER "incomes_mark_deleted";--> statement-breakpoint
ALTER TABLE "incomes" ENABLE ALWAYS TRIGGER "incomes_mark_truncated";--> statement-breakpoint
ALTER TABLE "tombstones" ENABLE ALWAYS TRIGGER "tombstones_mark_inserted";--> statement-breakpoint
ALTER TABLE "tombstones" ENABLE ALWAYS TRIGGER "tombstones_mark_updated";--> statement-breakpoint
ALTER TABLE "tombstones" ENABLE ALWAYS TRIGGER "tombstones_mark_deleted";
