import type { ConsistencyOrder, OrderScope, RepairScope } from '@tandem/storage/consistency';
import { TandemError } from '@tandem/storage/errors';
import { consistencyOrders } from '@tandem/storage/postgres';
import type { Command } from 'commander';
import type { CommandContext } from './command-context.ts';
import { withDatabase } from './opened-database.ts';
import { operatorName } from './operator.ts';
import { reasonOf } from './reason-option.ts';
import { wholeNumber } from './repair-command.ts';
import { textTable } from './text-table.ts';

const KINDS = ['verify', 'backfill', 'repair'] as const satisfies OrderScope['kind'][];
/** Of each kind. */
const ORDERS_MAX = 20;

interface WithdrawOptions {
  readonly reason: string;
  readonly json?: boolean;
}

/** `tandem orders …`: what was asked of the process that holds the JSON store. */
export function addOrders(program: Command, { configure, output }: CommandContext): void {
  const command = program
    .command('orders')
    .description('comparisons, backfills and repairs that were asked for');
  command
    .command('list', { isDefault: true })
    .description('lists them, newest first')
    .option('--json', 'as a JSON array')
    .action(async (options: { json?: boolean }) => {
      const orders = await withDatabase(configure(), 'orders', async (pool) => {
        const { list } = consistencyOrders(pool);
        const found = await Promise.all(KINDS.map((kind) => list(kind, ORDERS_MAX)));
        return found.flat().sort((one, other) => other.id - one.id);
      });
      output.data(options.json ? JSON.stringify(orders, null, 2) : ordersAsText(orders));
    });
  command
    .command('withdraw')
    .description('takes back one that no process has taken yet')
    .argument('<id>', 'as the list gives it', wholeNumber)
    .requiredOption('--reason <text>', 'why; kept in the audit log', reasonOf)
    .option('--json', 'as one JSON object')
    .action(async (id: number, { reason, json }: WithdrawOptions) => {
      const order = await withDatabase(configure(), 'orders', async (pool) => {
        const orders = consistencyOrders(pool);
        const isWithdrawn = await orders.withdraw(id, { actor: operatorName(), reason });
        const found = await orders.read(id);
        if (found === undefined) throw new TandemError('not-found', `There is no order ${id}.`);
        if (isWithdrawn) return found;
        const sentence = `Order ${id} is ${found.state}; only one that waits can be withdrawn.`;
        throw new TandemError('conflict', sentence);
      });
      output.data(json ? JSON.stringify(order, null, 2) : `Order ${id} is withdrawn.`);
    });
}

function ordersAsText(orders: readonly ConsistencyOrder[]): string {
  const rows = orders.map(({ id, state, what, askedAt, actor, reason }) => [
    ...[String(id), state, wordsOf(what), askedAt, actor, reason],
  ]);
  const columns = ['order', 'state', 'what', 'asked', 'by', 'reason'];
  return textTable(
    columns.map((name, at) => ({ name, alignRight: at === 0 })),
    rows,
  ).join('\n');
}

function wordsOf(what: OrderScope): string {
  if (what.kind === 'verify') return `verify, ${what.mode}`;
  if (what.kind === 'backfill') return what.kind;
  return `repair of ${scopeAsText(what.scope)}${what.dryRun ? ', dry run' : ''}`;
}

function scopeAsText(scope: RepairScope): string {
  if ('runId' in scope) return `run ${scope.runId}`;
  if ('entryIds' in scope) return `${scope.entryIds.length} of the list`;
  return `${scope.collection} ${scope.id}`;
}
