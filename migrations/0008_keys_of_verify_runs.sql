ALTER TABLE "verify_runs" ADD COLUMN "follows" boolean DEFAULT true NOT NULL;--> statement-breakpoint
ALTER TABLE "verify_runs" ADD COLUMN "keys_until" timestamp with time zone;--> statement-breakpoint
-- Before the statement: afterwards nothing says whose tombstones there were.
CREATE FUNCTION "mark_tombstones_truncated"() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS $$
BEGIN
	INSERT INTO dirty_ranges (collection, range) SELECT DISTINCT collection, -1 FROM tombstones;
	RETURN NULL;
END
$$;
--> statement-breakpoint
CREATE TRIGGER "tombstones_mark_truncated" BEFORE TRUNCATE ON "tombstones"
	FOR EACH STATEMENT EXECUTE FUNCTION "mark_tombstones_truncated"();--> statement-breakpoint
ALTER TABLE "tombstones" ENABLE ALWAYS TRIGGER "tombstones_mark_truncated";
