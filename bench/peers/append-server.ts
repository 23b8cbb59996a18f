// The least a durable POST can do: validate, append one line, and answer when the sync that took it is done;
// requests that come meanwhile share the next one. No index, no checksum, no key, no log, no reading it back.
// DATA_DIR names a folder.
import { open } from 'node:fs/promises';
import { join } from 'node:path';
import Fastify from 'fastify';
import { EXPENSE_BODY, type Expense, serve } from './serve.ts';

/** Written beforehand, so that no sync has to change the file's length. */
const RESERVED_BYTES = 512 << 20;
const ZEROS = Buffer.alloc(16 << 20);

const file = await open(join(process.env.DATA_DIR as string, 'expenses.jsonl'), 'w');
for (let at = 0; at < RESERVED_BYTES; at += ZEROS.length) {
  await file.write(ZEROS, 0, ZEROS.length, at);
}
await file.sync();

interface Waiting {
  readonly line: string;
  readonly durable: () => void;
  readonly failed: (error: unknown) => void;
}

let waiting: Waiting[] = [];
let isSyncing = false;
let position = 0;
let id = 0;

async function sync(): Promise<void> {
  isSyncing = true;
  while (waiting.length > 0) {
    const batch = waiting;
    waiting = [];
    try {
      const bytes = Buffer.from(batch.map(({ line }) => line).join(''));
      await file.write(bytes, 0, bytes.length, position);
      await file.datasync();
      position += bytes.length;
      for (const { durable } of batch) durable();
    } catch (error) {
      for (const { failed } of batch) failed(error);
    }
  }
  isSyncing = false;
}

const app = Fastify();
app.post('/api/v1/expense', { schema: { body: EXPENSE_BODY } }, async (request) => {
  const expense = { ...(request.body as Expense), id: ++id };
  await new Promise<void>((durable, failed) => {
    waiting.push({ line: `${JSON.stringify(expense)}\n`, durable, failed });
    if (!isSyncing) void sync();
  });
  return { status: 'created', expense };
});
await serve(app);
