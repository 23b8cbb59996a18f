// INSERT and pg-boss `send` in one transaction a request: the transactional outbox as pg-boss shows it, with
// its `db` option. DATABASE_URL names an empty database.
import Fastify from 'fastify';
import pg from 'pg';
import { PgBoss } from 'pg-boss';
import { insertOf, makeExpensesTable } from './expenses-table.ts';
import { EXPENSE_BODY, type Expense, serve } from './serve.ts';

const QUEUE = 'write-to-json';

const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
await makeExpensesTable(pool);
const boss = new PgBoss({ connectionString: process.env.DATABASE_URL as string });
boss.on('error', (error) => console.error(error));
await boss.start();
await boss.createQueue(QUEUE);
const app = Fastify();
app.post('/api/v1/expense', { schema: { body: EXPENSE_BODY } }, async (request) => {
  const expense = request.body as Expense;
  const client = await pool.connect();
  try {
    await client.query('BEGIN');
    const { rows } = await client.query<{ id: number }>(insertOf(expense));
    const record = { ...expense, id: rows[0]?.id };
    const db = {
      executeSql: (text: string, values?: unknown[]) => client.query(text, values),
    };
    await boss.send(QUEUE, record, { db });
    await client.query('COMMIT');
    return { status: 'created', expense: record };
  } catch (error) {
    await client.query('ROLLBACK');
    throw error;
  } finally {
    client.release();
  }
});
await serve(app);
