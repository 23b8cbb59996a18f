// Dual write inside the handler: INSERT, then the whole JSON file written anew, one request after the other
// (else an older file would replace a newer one). Nothing is synced, and a crash between the two is lost.
// DATABASE_URL names an empty database, DATA_DIR a folder, RECORDS how many are there at first.
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import Fastify from 'fastify';
import pg from 'pg';
import { insertOf, makeExpensesTable } from './expenses-table.ts';
import { firstExpenses } from './first-expenses.ts';
import { EXPENSE_BODY, type Expense, serve } from './serve.ts';

const path = join(process.env.DATA_DIR as string, 'expenses.json');
const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
await makeExpensesTable(pool);
const expenses: object[] = firstExpenses();
let last: Promise<void> = Promise.resolve();

function rewriteFile(): Promise<void> {
  last = last.then(async () => {
    await writeFile(`${path}.new`, JSON.stringify(expenses, undefined, 2));
    await rename(`${path}.new`, path);
  });
  return last;
}

const app = Fastify();
app.post('/api/v1/expense', { schema: { body: EXPENSE_BODY } }, async (request) => {
  const expense = request.body as Expense;
  const { rows } = await pool.query<{ id: number }>(insertOf(expense));
  const record = { ...expense, id: rows[0]?.id };
  expenses.push(record);
  await rewriteFile();
  return { status: 'created', expense: record };
});
await serve(app);
