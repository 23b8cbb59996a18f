// node sampler-process.ts FILE: reads expenses.json whenever it may have changed, until SIGTERM, and prints
// what it saw: {"samples", "records", "violations"}. A process of its own, so that it never waits for
// the clients.
import { readFileSync, statSync } from 'node:fs';

const INTERVAL_MS = 15;
const VIOLATIONS_MAX = 10;
const FIELDS = ['account', 'amount', 'business', 'category', 'currency', 'date', 'id', 'notes'];

const [file = ''] = process.argv.slice(2);
const violations: string[] = [];
let samples = 0;
let records = 0;
let lastSeen = '';
let wasThere = false;

function sample(): void {
  try {
    const { ino, mtimeMs, size } = statSync(file);
    const seen = `${ino} ${mtimeMs} ${size}`;
    wasThere = true;
    if (seen === lastSeen) return;
    look(readFileSync(file, 'utf8'));
    lastSeen = seen;
  } catch (error) {
    const isAbsent = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (!isAbsent || wasThere) complain(`${error}`);
  }
}

function look(text: string): void {
  const parsed: unknown = JSON.parse(text);
  samples += 1;
  if (!Array.isArray(parsed)) {
    complain('It is not an array.');
    return;
  }
  records = parsed.length;
  const ids = new Set<unknown>();
  for (const record of parsed) {
    // What an editor added has no id yet.
    const fields = Object.keys({ id: 0, ...record }).sort();
    if (fields.join() !== FIELDS.join()) complain(`It has the fields ${fields.join()}.`);
    if (ids.has(record.id)) complain(`It has ${record.id} twice.`);
    ids.add(record.id);
  }
}

function complain(sentence: string): void {
  if (violations.length < VIOLATIONS_MAX)
    violations.push(`${new Date().toISOString()} ${sentence}`);
}

const timer = setInterval(sample, INTERVAL_MS);
process.once('SIGTERM', () => {
  clearInterval(timer);
  sample();
  console.log(JSON.stringify({ samples, records, violations }));
});
