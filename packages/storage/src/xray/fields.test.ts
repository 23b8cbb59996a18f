import { expect, test } from 'vitest';
import { expense, expenseText } from '../testing/store-fixture.ts';
import { fieldsOf } from './fields.ts';

test('I8: fields are told apart by their spelling, in their order, whatever their names are', () => {
  const json = expenseText(5, 'a', '"7":1.0,"__proto__":{"b":1,"a":2},');
  const postgres = expenseText(5, 'a', '"7":1,"__proto__":{"b":1,"a":2},"only":null,');
  const fields = fieldsOf(expense, { json, postgres });
  expect(fields.map(({ name }) => name)).toEqual([
    ...['date', 'business', 'category', 'amount', 'account', 'currency', 'notes'],
    ...['7', '__proto__', 'id', 'only'],
  ]);
  expect(fields.filter(({ differs }) => differs)).toEqual([
    { name: '7', json: '1.0', postgres: '1', differs: true },
    { name: 'only', json: null, postgres: 'null', differs: true },
  ]);
});

test('a tombstone has no fields; one side alone is compared with nothing', () => {
  expect(fieldsOf(expense, { json: null, postgres: null })).toEqual([]);
  const [date] = fieldsOf(expense, { json: expenseText(5, 'a'), postgres: null });
  expect(date).toMatchObject({ json: '"2025-12-07"', postgres: null, differs: true });
  const [unknown] = fieldsOf(expense, { json: expenseText(5, 'a'), postgres: undefined });
  expect(unknown).toMatchObject({ differs: null });
  const deep = `{"x":${'['.repeat(600)}${']'.repeat(600)},"id":5}`;
  expect(fieldsOf(expense, { json: deep, postgres: null }).map(({ name }) => name)).toContain(
    '(whole)',
  );
});
