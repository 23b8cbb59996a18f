// lowdb as its README shows it with a server: `JSONFilePreset`, push, `write`. It writes the whole file, by
// way of a temporary one, and syncs nothing. DATA_DIR names a folder, RECORDS how many are there at first.
import { join } from 'node:path';
import Fastify from 'fastify';
import { JSONFilePreset } from 'lowdb/node';
import { firstExpenses } from './first-expenses.ts';
import { EXPENSE_BODY, type Expense, serve } from './serve.ts';

const path = join(process.env.DATA_DIR as string, 'expenses.json');
const db = await JSONFilePreset(path, { expenses: firstExpenses() });
await db.write();
let id = db.data.expenses.length;
const app = Fastify();
app.post('/api/v1/expense', { schema: { body: EXPENSE_BODY } }, async (request) => {
  const expense = { ...(request.body as Expense), id: ++id };
  db.data.expenses.push(expense);
  await db.write();
  return { status: 'created', expense };
});
await serve(app);
