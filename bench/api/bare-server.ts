// The least a Fastify route can do: validate a body by its schema, and echo it with an id.
import Fastify from 'fastify';

const text = { type: 'string' };
const optionalText = { type: ['string', 'null'] };
const body = {
  type: 'object',
  required: ['date', 'category', 'amount', 'account'],
  properties: {
    date: { type: 'string', format: 'date' },
    business: optionalText,
    category: text,
    amount: { type: 'number' },
    account: text,
    currency: optionalText,
    notes: optionalText,
  },
};

const app = Fastify();
let id = 0;
app.post('/api/v1/expense', { schema: { body } }, (request, reply) =>
  reply.send({ status: 'created', expense: { ...(request.body as object), id: ++id } }),
);
app.get('/api/v1/expense/:id', (request, reply) =>
  reply.send({ id: (request.params as { id: string }).id }),
);
process.once('SIGTERM', () => process.exit(0));
console.log(`listening at ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
