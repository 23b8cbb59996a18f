import { defineCollection, optional, required } from '@tandem/storage/collections';
import { bigint, date, integer, json, numeric, pgTable, text } from 'drizzle-orm/pg-core';

/** A third collection: this file, and its table, are all there is to it. */
export default defineCollection({
  name: 'transfer',
  plural: 'transfers',
  file: 'transfers.json',
  dateField: 'day',
  fields: [
    required.decimal('sum', { description: 'How much.', example: 20 }),
    required.date('day', { description: 'When it was made.', example: '2025-12-07' }),
    required.text('from', { description: 'Account it came from.', example: 'Cash' }),
    required.text('to', { description: 'Account it went to.', example: 'Bank' }),
    optional.date('settled', { description: 'When it arrived.', example: '2025-12-09' }),
    optional.decimal('fee', { whenMissing: '0.5', description: 'What it cost.', example: 0.25 }),
  ],
  table: pgTable('transfers', {
    id: integer().primaryKey().generatedByDefaultAsIdentity(),
    sum: numeric({ precision: 10, scale: 2 }).notNull(),
    day: date({ mode: 'string' }).notNull(),
    from: text().notNull(),
    to: text().notNull(),
    settled: date({ mode: 'string' }),
    fee: numeric({ precision: 10, scale: 2 }),
    extra: json(),
    version: bigint({ mode: 'number' }).notNull().default(1),
    epoch: bigint({ mode: 'number' }).notNull().default(0),
  }),
});
