// node:sqlite (WAL, synchronous=FULL), one INSERT a request, each durable when it is answered. DATA_DIR names
// a folder.
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import Fastify from 'fastify';
import { EXPENSE_BODY, type Expense, serve } from './serve.ts';

const database = new DatabaseSync(join(process.env.DATA_DIR as string, 'expenses.sqlite'));
database.exec(`PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE expenses (id INTEGER PRIMARY KEY, date TEXT NOT NULL, business TEXT,
    category TEXT NOT NULL, amount TEXT NOT NULL, account TEXT NOT NULL, currency TEXT, notes TEXT);
  CREATE INDEX expenses_list_order ON expenses (date, id);`);
const insert = database.prepare(`INSERT INTO expenses
  (date, business, category, amount, account, currency, notes) VALUES (?, ?, ?, ?, ?, ?, ?)`);
const app = Fastify();
app.post('/api/v1/expense', { schema: { body: EXPENSE_BODY } }, async (request) => {
  const expense = request.body as Expense;
  const {
    date,
    business = null,
    category,
    amount,
    account,
    currency = null,
    notes = null,
  } = expense;
  const { lastInsertRowid } = insert.run(
    ...([date, business, category, String(amount), account, currency, notes] as const),
  );
  return { status: 'created', expense: { ...expense, id: Number(lastInsertRowid) } };
});
await serve(app);
