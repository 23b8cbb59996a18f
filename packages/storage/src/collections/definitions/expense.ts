import { defineCollection, optional, required } from '../collection.ts';
import {
  bigint,
  check,
  date,
  index,
  integer,
  json,
  numeric,
  pgTable,
  sql,
  text,
} from '../drizzle.ts';

export const expenses = pgTable(
  'expenses',
  {
    id: integer().primaryKey().generatedByDefaultAsIdentity(),
    date: date({ mode: 'string' }).notNull(),
    business: text(),
    category: text().notNull(),
    amount: numeric({ precision: 10, scale: 2 }).notNull(),
    account: text().notNull(),
    currency: text().notNull().default('₪'),
    notes: text(),
    extra: json(),
    version: bigint({ mode: 'number' }).notNull().default(1),
    epoch: bigint({ mode: 'number' }).notNull().default(0),
  },
  (table) => [
    // The list's order, newest first, is this index read backwards.
    index('expenses_list_order').on(table.date, table.id),
    // What PostgreSQL's types hold beyond the API's.
    check('expenses_date_is_a_day', sql`${table.date} BETWEEN '0001-01-01' AND '9999-12-31'`),
    check('expenses_amount_is_a_number', sql`${table.amount} <> 'NaN'`),
    // What no store could hold, and no comparison would see.
    check('expenses_id_is_positive', sql`${table.id} > 0`),
    check('expenses_extra_is_an_object', sql`json_typeof(${table.extra}) = 'object'`),
  ],
);

export default defineCollection({
  name: 'expense',
  plural: 'expenses',
  file: 'expenses.json',
  dateField: 'date',
  fields: [
    required.date('date', { description: 'ISO calendar date.', example: '2025-12-07' }),
    optional.text('business', { description: 'Who was paid.', example: 'ampm' }),
    required.text('category', { description: 'What it was for.', example: 'Groceries' }),
    required.decimal('amount', {
      description: 'At most 8 digits before and 2 after the point; kept exactly.',
      example: 150.5,
    }),
    required.text('account', { description: 'What it was paid from.', example: 'Cash' }),
    optional.text('currency', {
      whenMissing: '₪',
      description: 'Currency sign; missing or null means ₪.',
      example: '₪',
    }),
    optional.text('notes', { description: 'Free text.', example: 'Weekly shopping' }),
  ],
  table: expenses,
});
