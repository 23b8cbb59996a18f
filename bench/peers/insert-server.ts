// One INSERT a request, no queue: a service that has PostgreSQL alone. DATABASE_URL names an empty database.
import Fastify from 'fastify';
import pg from 'pg';
import { insertOf, makeExpensesTable } from './expenses-table.ts';
import { EXPENSE_BODY, type Expense, serve } from './serve.ts';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
await makeExpensesTable(pool);
const app = Fastify();
app.post('/api/v1/expense', { schema: { body: EXPENSE_BODY } }, async (request) => {
  const expense = request.body as Expense;
  const { rows } = await pool.query<{ id: number }>(insertOf(expense));
  return { status: 'created', expense: { ...expense, id: rows[0]?.id } };
});
await serve(app);
