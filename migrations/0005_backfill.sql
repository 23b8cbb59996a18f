ALTER TABLE "consistency_orders" DROP CONSTRAINT "consistency_orders_kind_is_one";--> statement-breakpoint
ALTER TABLE "processes" ADD COLUMN "catch_up" json;--> statement-breakpoint
ALTER TABLE "consistency_orders" ADD CONSTRAINT "consistency_orders_kind_is_one" CHECK ("consistency_orders"."kind" IN ('verify', 'repair', 'backfill'));