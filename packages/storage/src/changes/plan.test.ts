import { expect, test } from 'vitest';
import { loadCollections } from '../collections/index.ts';
import type { Command } from './command.ts';
import { type CurrentRecord, plan } from './plan.ts';

const [expense] = await loadCollections();
if (expense === undefined) throw new Error('expense expected');

const text = (id: number, notes: string | null) =>
  `{"date":"2025-01-01","business":null,"category":"c","amount":1.5,"account":"a","currency":"₪","notes":${JSON.stringify(notes)},"id":${id}}`;

const stored = new Map<number, CurrentRecord>([
  [1, { epoch: 1, version: 1, text: text(1, null) }],
  [2, { epoch: 2, version: 4, text: text(2, 'two') }],
]);

const planned = (command: Command, key?: string) =>
  plan(key === undefined ? { command } : { command, key: { key, fingerprint: 'f' } }, {
    epoch: 3,
    at: '2025-01-02T00:00:00.000Z',
    nextId: () => 12,
    current: (id) => stored.get(id),
  });

test('a creation takes the next id, the epoch of the step and version 1', () => {
  const values = {
    date: '2025-01-01',
    business: null,
    category: 'c',
    amount: '1.5',
    account: 'a',
    currency: '₪',
    notes: null,
  };
  expect(planned({ op: 'create', collection: expense, values }, 'k')).toEqual({
    outcome: { kind: 'created', id: 12, epoch: 3, version: 1, text: text(12, null) },
    changes: [
      {
        collection: 'expense',
        id: 12,
        epoch: 3,
        version: 1,
        base: null,
        op: 'create',
        record: text(12, null),
        at: '2025-01-02T00:00:00.000Z',
        idempotencyKey: 'k',
      },
    ],
  });
});

test('an update counts the version on and names the state it was computed from', () => {
  const { changes } = planned({ op: 'update', collection: expense, id: 2, set: { notes: 'new' } });
  expect(changes).toMatchObject([
    { epoch: 3, version: 5, base: { epoch: 2, version: 4 }, record: text(2, 'new') },
  ]);
});

test('a bulk deletion counts duplicates once and skips what is not there', () => {
  const { outcome, changes } = planned({
    op: 'bulk-delete',
    collection: expense,
    ids: [2, 1, 2, 99],
  });
  expect(outcome).toEqual({ kind: 'bulk-deleted', count: 2 });
  expect(changes.map(({ id, op, version }) => [id, op, version])).toEqual([
    [2, 'delete', 5],
    [1, 'delete', 2],
  ]);
});

test('a precondition that no longer holds changes nothing', () => {
  const ifMatch = [{ epoch: 1, version: 1 }];
  expect(planned({ op: 'delete', collection: expense, id: 2, ifMatch })).toEqual({
    outcome: { kind: 'precondition-failed', id: 2, current: { epoch: 2, version: 4 } },
    changes: [],
  });
  expect(planned({ op: 'delete', collection: expense, id: 1, ifMatch }).changes).toHaveLength(1);
  expect(planned({ op: 'delete', collection: expense, id: 1, ifMatch: '*' }).changes).toHaveLength(
    1,
  );
  expect(planned({ op: 'delete', collection: expense, id: 5, ifMatch: '*' }).outcome.kind).toBe(
    'not-found',
  );
});
