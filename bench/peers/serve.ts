import type { FastifyInstance } from 'fastify';

/** Serves on a free port of this machine and says where, until it is asked to stop. */
export async function serve(app: FastifyInstance): Promise<void> {
  process.once('SIGTERM', () => process.exit(0));
  console.log(`listening at ${await app.listen({ host: '127.0.0.1', port: 0 })}`);
}

/** What every peer asks of an expense. */
const text = { type: 'string' };
const optionalText = { type: ['string', 'null'] };
export const EXPENSE_BODY = {
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

export interface Expense {
  readonly date: string;
  readonly business?: string | null;
  readonly category: string;
  readonly amount: number;
  readonly account: string;
  readonly currency?: string | null;
  readonly notes?: string | null;
}
