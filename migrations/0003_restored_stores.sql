ALTER TABLE "relay_cursor" ADD COLUMN "session" text;--> statement-breakpoint
ALTER TABLE "relay_cursor" ADD COLUMN "batch" bigint;