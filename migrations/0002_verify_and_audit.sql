CREATE TABLE "audit_log" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "audit_log_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"at" timestamp with time zone NOT NULL,
	"actor" text NOT NULL,
	"action" text NOT NULL,
	"reason" text NOT NULL,
	"details" json NOT NULL
);
--> statement-breakpoint
CREATE TABLE "verify_differences" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "verify_differences_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"run_id" integer NOT NULL,
	"class" text NOT NULL,
	"kind" text NOT NULL,
	"collection" text,
	"record_id" integer,
	"key" text,
	"primary_epoch" bigint,
	"primary_version" bigint,
	"primary_text" text,
	"secondary_epoch" bigint,
	"secondary_version" bigint,
	"secondary_text" text,
	"detail" text,
	CONSTRAINT "verify_differences_of_record_or_key" CHECK (("verify_differences"."collection" IS NULL) = ("verify_differences"."record_id" IS NULL) AND ("verify_differences"."collection" IS NULL) <> ("verify_differences"."key" IS NULL))
);
--> statement-breakpoint
CREATE TABLE "verify_runs" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "verify_runs_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"started_at" timestamp with time zone NOT NULL,
	"finished_at" timestamp with time zone,
	"primary" text NOT NULL,
	"epoch" bigint NOT NULL,
	"outbox_seq" bigint NOT NULL,
	"seen" bigint,
	"keys_seen" bigint,
	"counts" json,
	"outcome" text,
	CONSTRAINT "verify_runs_primary_is_one" CHECK ("verify_runs"."primary" IN ('json', 'postgres')),
	CONSTRAINT "verify_runs_outcome_is_one" CHECK ("verify_runs"."outcome" IN ('clean', 'differences', 'inconclusive')),
	CONSTRAINT "verify_runs_finish_with_an_outcome" CHECK (("verify_runs"."finished_at" IS NULL) = ("verify_runs"."outcome" IS NULL))
);
--> statement-breakpoint
ALTER TABLE "verify_differences" ADD CONSTRAINT "verify_differences_run_id_verify_runs_id_fk" FOREIGN KEY ("run_id") REFERENCES "public"."verify_runs"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "verify_differences_of_run" ON "verify_differences" USING btree ("run_id");