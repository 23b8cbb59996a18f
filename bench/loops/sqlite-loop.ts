import { DatabaseSync } from 'node:sqlite';
import { expenseValues } from '../records.ts';

/** As the other loops: made beforehand. */
const DISTINCT_RECORDS = 4_096;
const SCHEMA = `
  PRAGMA journal_mode = WAL;
  PRAGMA synchronous = FULL;
  CREATE TABLE expenses (id INTEGER PRIMARY KEY, date TEXT NOT NULL, business TEXT,
    category TEXT NOT NULL, amount TEXT NOT NULL, account TEXT NOT NULL, currency TEXT, notes TEXT);
  CREATE INDEX expenses_list_order ON expenses (date, id);`;
const INSERT = `INSERT INTO expenses (date, business, category, amount, account, currency, notes)
  VALUES (?, ?, ?, ?, ?, ?, ?)`;

/** Seconds it takes SQLite to insert the same records, one transaction for each batch. */
export function sqliteLoop(path: string, batches: readonly number[]): number {
  const database = new DatabaseSync(path);
  try {
    database.exec(SCHEMA);
    const insert = database.prepare(INSERT);
    const values = Array.from({ length: DISTINCT_RECORDS }, (_, n) =>
      Object.values(expenseValues(n)),
    );
    const start = performance.now();
    let n = 0;
    for (const records of batches) {
      database.exec('BEGIN IMMEDIATE');
      for (let i = 0; i < records; i++) {
        insert.run(...(values[n++ % DISTINCT_RECORDS] as string[]));
      }
      database.exec('COMMIT');
    }
    return (performance.now() - start) / 1000;
  } finally {
    database.close();
  }
}
