CREATE TABLE "phase_intents" (
	"id" integer PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "phase_intents_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 2147483647 START WITH 1 CACHE 1),
	"at" timestamp with time zone NOT NULL,
	"actor" text NOT NULL,
	"act" text NOT NULL,
	"desired" text NOT NULL,
	"reason" text NOT NULL,
	CONSTRAINT "phase_intents_act_is_one" CHECK ("phase_intents"."act" IN ('set', 'cancel'))
);
--> statement-breakpoint
CREATE TABLE "processes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"kind" text NOT NULL,
	"pid" integer NOT NULL,
	"host" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"seen_at" timestamp with time zone NOT NULL,
	"effective" text,
	"epoch" bigint,
	"desired" text NOT NULL,
	"flags" json NOT NULL,
	"ready" boolean NOT NULL,
	"waiting_for" text,
	CONSTRAINT "processes_kind_is_one" CHECK ("processes"."kind" IN ('api', 'worker'))
);

--> statement-breakpoint
-- Whoever watches the flags hears of a change when it commits; the payload says nothing, so that a
-- transaction that writes both is one notification.
CREATE FUNCTION "say_flags_changed"() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
	PERFORM pg_notify('tandem_flags', '');
	RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "feature_flags_say_changed"
	AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON "feature_flags"
	FOR EACH STATEMENT EXECUTE FUNCTION "say_flags_changed"();
