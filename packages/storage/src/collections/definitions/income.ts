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

export const incomes = pgTable(
  'incomes',
  {
    id: integer().primaryKey().generatedByDefaultAsIdentity(),
    date: date({ mode: 'string' }).notNull(),
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
    index('incomes_list_order').on(table.date, table.id),
    // What PostgreSQL's types hold beyond the API's.
    check('incomes_date_is_a_day', sql`${table.date} BETWEEN '0001-01-01' AND '9999-12-31'`),
    check('incomes_amount_is_a_number', sql`${table.amount} <> 'NaN'`),
    // What no store could hold, and no comparison would see.
    check('incomes_id_is_positive', sql`${table.id} > 0`),
    check('incomes_extra_is_an_object', sql`json_typeof(${table.extra}) = 'object'`),
  ],
);

export default defineCollection({
  name: 'income',
  plural: 'incomes',
  file: 'incomes.json',
  dateField: 'date',
  fields: [
    required.date('date', { description: 'ISO calendar date.', example: '2025-12-01' }),
    required.text('category', { description: 'What it was for.', example: 'Salary' }),
    required.decimal('amount', {
      description: 'At most 8 digits before and 2 after the point; kept exactly.',
      example: 23000,
    }),
    required.text('account', { description: 'Where it was paid to.', example: '12345' }),
    optional.text('currency', {
      whenMissing: '₪',
      description: 'Currency sign; missing or null means ₪.',
      example: '₪',
    }),
    optional.text('notes', { description: 'Free text.', example: 'December' }),
  ],
  table: incomes,
});
