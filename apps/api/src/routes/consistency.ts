import type {
  ConsistencyOrder,
  ConsistencyOrders,
  DivergenceLedger,
  VerifyRun,
} from '@tandem/storage/consistency';
import { TandemError } from '@tandem/storage/errors';
import type {
  LedgerOperations,
  ListedVerify,
  VerifyListPage,
  VerifySummary,
} from '@tandem/storage/postgres';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import {
  readAcceptance,
  readBudget,
  readChoice,
  readLedgerQuery,
  readOrdersQuery,
  readRepair,
  readRunsQuery,
  readVerifyOrder,
} from './consistency-request.ts';
import {
  acceptSchema,
  budgetSchema,
  budgetsSchema,
  divergenceSchema,
  divergencesSchema,
  lastVerifySchema,
  orderSchema,
  ordersSchema,
  repairSchema,
  resolveSchema,
  verifyRunSchema,
  verifyRunsSchema,
  verifySchema,
  withdrawSchema,
} from './consistency-schemas.ts';
import { readCancellation } from './migration-body.ts';

export interface ConsistencyRoutesOptions {
  readonly ledger: DivergenceLedger;
  readonly operations: LedgerOperations;
  readonly orders: ConsistencyOrders;
  readonly runs: {
    last(): Promise<VerifySummary | undefined>;
    /** @throws {TandemError} `not-found` */
    read(id: number): Promise<VerifyRun>;
    list(page: VerifyListPage): Promise<readonly ListedVerify[]>;
  };
}

const BASE = '/api/v1/migration';

/** Verify, repair and the ledger of differences. What reads or writes both
 *  stores is an order to the process that holds the JSON store; it answers at once, with its id. */
export function consistency(app: FastifyInstance, options: ConsistencyRoutesOptions): void {
  const { ledger, operations, orders, runs } = options;
  const config = { scope: 'operator' } as const;
  const ordered = async (order: Parameters<ConsistencyOrders['place']>[0]) =>
    found(await orders.read(await orders.place(order)), 'order');

  app.get(`${BASE}/verify`, { config, schema: lastVerifySchema }, async () => ({
    last: (await runs.last()) ?? null,
  }));
  app.get(`${BASE}/verify/runs`, { config, schema: verifyRunsSchema }, async (request) => {
    const page = readRunsQuery(request);
    const found = await runs.list(page);
    const isMore = found.length === page.limit;
    return { runs: found, next: isMore ? (found.at(-1)?.id ?? null) : null };
  });
  app.get(`${BASE}/verify/:id`, { config, schema: verifyRunSchema }, async (request) =>
    runs.read(idOf(request)),
  );
  app.post(`${BASE}/verify`, { config, schema: verifySchema }, async (request) =>
    ordered(readVerifyOrder(request)),
  );
  app.post(`${BASE}/repair`, { config, schema: repairSchema }, async (request) =>
    ordered(readRepair(request)),
  );
  app.get(`${BASE}/orders`, { config, schema: ordersSchema }, async (request) => {
    const { kind, limit } = readOrdersQuery(request);
    return orders.list(kind, limit);
  });
  app.get(`${BASE}/orders/:id`, { config, schema: orderSchema }, async (request) =>
    found(await orders.read(idOf(request)), 'order'),
  );
  app.delete(`${BASE}/orders/:id`, { config, schema: withdrawSchema }, async (request) => {
    const id = idOf(request);
    const isWithdrawn = await orders.withdraw(id, readCancellation(request));
    const order = found(await orders.read(id), 'order');
    if (isWithdrawn) return order;
    const { state } = order;
    const sentence = `Order ${id} is ${state}; only one that waits can be withdrawn.`;
    throw new TandemError('conflict', sentence, { detail: { state } });
  });

  app.get(`${BASE}/divergences`, { config, schema: divergencesSchema }, async (request) => {
    const { filter, page } = readLedgerQuery(request);
    const entries = await ledger.find(filter, page);
    const isMore = entries.length === page.limit;
    return { entries, next: isMore ? (entries.at(-1)?.id ?? null) : null };
  });
  app.get(`${BASE}/divergences/budgets`, { config, schema: budgetsSchema }, () => ledger.budgets());
  app.put(
    `${BASE}/divergences/budgets/:collection`,
    { config, schema: budgetSchema },
    async (request) => {
      const { budget, by } = readBudget(request);
      await operations.setBudget(budget, by);
      return ledger.budgets();
    },
  );
  app.get(`${BASE}/divergences/:id`, { config, schema: divergenceSchema }, async (request) => {
    const [entry] = await ledger.find({ ids: [idOf(request)] }, { limit: 1 });
    return found(entry, 'divergence');
  });
  app.post(`${BASE}/divergences/resolve`, { config, schema: resolveSchema }, async (request) =>
    ordered(readChoice(request)),
  );
  app.post(`${BASE}/divergences/accept`, { config, schema: acceptSchema }, async (request) => {
    const { ids, by } = readAcceptance(request);
    return { matched: ids.length, changed: await operations.accept(ids, by) };
  });
}

const idOf = (request: FastifyRequest): number => {
  const { id } = request.params as { id: string };
  if (/^\d{1,9}$/.test(id)) return Number(id);
  throw new TandemError('not-found', `${id} is no id.`);
};

function found<T extends ConsistencyOrder | object>(one: T | undefined, what: string): T {
  if (one !== undefined) return one;
  throw new TandemError('not-found', `There is no such ${what}.`);
}
