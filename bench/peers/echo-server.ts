// The least a Fastify route can do: validate a body by its schema, and echo it with an id; answer a record,
// and a page of 50 of them, that are made already.
import Fastify from 'fastify';
import { EXPENSE_BODY, serve } from './serve.ts';

const PAGE_RECORDS = 50;

const record = {
  ...{ date: '2025-12-07', business: 'שופרסל', category: 'Groceries', amount: 150.5 },
  ...{ account: 'Cash', currency: '₪', notes: 'Weekly shopping' },
};
const page = Array.from({ length: PAGE_RECORDS }, (_, n) => ({ ...record, id: n + 1 }));

const app = Fastify();
let id = 0;
app.post('/api/v1/expense', { schema: { body: EXPENSE_BODY } }, (request, reply) =>
  reply.send({ status: 'created', expense: { ...(request.body as object), id: ++id } }),
);
app.get('/api/v1/expense/:id', (request, reply) =>
  reply.send({ ...record, id: (request.params as { id: string }).id }),
);
app.get('/api/v1/expense', (_request, reply) => reply.send(page));
await serve(app);
