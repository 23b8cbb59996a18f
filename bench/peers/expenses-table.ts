import type { Pool } from 'pg';
import type { Expense } from './serve.ts';

const COLUMNS = ['date', 'business', 'category', 'amount', 'account', 'currency', 'notes'] as const;

/** The table as anyone would make it, with the index that the list needs. */
export async function makeExpensesTable(pool: Pool): Promise<void> {
  await pool.query(`CREATE TABLE expenses (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY, date date NOT NULL, business text,
    category text NOT NULL, amount numeric(10, 2) NOT NULL, account text NOT NULL, currency text, notes text)`);
  await pool.query('CREATE INDEX expenses_list_order ON expenses (date DESC, id DESC)');
}

/** Prepared once a connection, as the manual of `pg` advises for what is run often. */
export const insertOf = (expense: Expense) => ({
  name: 'insert-expense',
  text: `INSERT INTO expenses (${COLUMNS.join(', ')}) VALUES ($1, $2, $3, $4, $5, $6, $7) RETURNING id`,
  values: COLUMNS.map((column) => expense[column] ?? null),
});
