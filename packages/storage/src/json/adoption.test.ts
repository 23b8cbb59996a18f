import { mkdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import {
  filesBelow,
  freshDirectory,
  open,
  readRecords,
  writeLegacy,
} from '../testing/json-fixture.ts';
import { recordingLog } from '../testing/recording-log.ts';
import { allTexts, create, expense, income, run, setOf } from '../testing/store-fixture.ts';

const OLD =
  '{"date":"2025-11-02","business":"ampm","category":"Food","amount":100.0,"account":"12345","currency":"\\u20aa","notes":"","id":7}';
const OLD_CANONICAL =
  '{"date":"2025-11-02","business":"ampm","category":"Food","amount":100,"account":"12345","currency":"₪","notes":"","id":7}';

/** A legacy record, compact; members may be left out or added. */
const legacy = (members: Record<string, unknown>): string =>
  JSON.stringify({ date: '2025-01-15', category: 'Food', amount: 1, account: 'Cash', ...members });

test('a legacy file becomes a store, and the file stays as it is until a checkpoint', async () => {
  const directory = await freshDirectory();
  await writeLegacy(directory, `[\n  ${OLD}\n]`);
  const before = await readFile(join(directory, 'expenses.json'));
  const store = await open(directory);
  expect(store.recoveryReport).toMatchObject({ adopted: true, created: true });
  expect(await store.get(expense, 7)).toEqual({ id: 7, epoch: 1, version: 1, text: OLD_CANONICAL });
  expect(await store.idHighWater()).toEqual({ expense: 7, income: 0 });
  expect(await readFile(join(directory, 'expenses.json'))).toEqual(before);
  expect((await create(store)).id).toBe(8);
  await store.close();
  expect(await readFile(join(directory, '.tandem/adopted/expenses.json'))).toEqual(before);
  expect(await readRecords(directory)).toMatchObject([{ id: 7 }, { id: 8 }]);
  expect(await readRecords(directory, 'incomes.json')).toEqual([]);
  expect((await open(directory)).recoveryReport.adopted).toBe(false);
});

test('how much was adopted is said, with what PostgreSQL can not hold, and where the original is', async () => {
  const directory = await freshDirectory();
  await writeLegacy(directory, `[${OLD},${legacy({ id: 8, date: 'never' })}]`);
  const log = recordingLog();
  await open(directory, { log });
  expect(log.sentences('info')).toContain(
    `Adopted 2 records of expenses.json, 1 of them as they are, since PostgreSQL can't hold them; the original is kept in ${join(directory, '.tandem/adopted/expenses.json')}.`,
  );
});

test.each([
  ['an empty array', '[]', []],
  ['a byte order mark', '\ufeff[]', []],
  ['a numeric string', `[${legacy({ amount: '150.50', id: 1 })}]`, ['"amount":150.5,']],
  ['missing optional fields', `[${legacy({ id: 1 })}]`, ['"business":null,', '"currency":"₪"']],
  ['a null currency', `[${legacy({ currency: null, id: 1 })}]`, ['"currency":"₪","notes":null']],
  ['another order', `[${legacy({ id: 1, notes: 'n' })}]`, ['"notes":"n","id":1}']],
  ['an exponent', `[${legacy({ id: 1 }).replace(':1,', ':1.5e1,')}]`, ['"amount":15,']],
  ['a zero with a sign', `[${legacy({ id: 1 }).replace(':1,', ':-0.0,')}]`, ['"amount":0,']],
])('%s is adopted', async (_what, text, parts) => {
  const directory = await freshDirectory();
  await writeLegacy(directory, text);
  const store = await open(directory);
  const texts = await allTexts(store);
  expect(texts).toHaveLength(parts.length === 0 ? 0 : 1);
  for (const part of parts) expect(texts[0]).toContain(part);
  expect(store.mappingErrors()).toEqual([]);
});

test('no file at all is an empty store, whose files appear with the first checkpoint', async () => {
  const directory = join(await freshDirectory(), 'deep/json');
  const store = await open(directory);
  expect(store.recoveryReport).toMatchObject({ adopted: false, created: true });
  await store.close();
  expect(await readRecords(directory)).toEqual([]);
  expect(await readRecords(directory, 'incomes.json')).toEqual([]);
});

test('I8: unknown fields keep their order and number spelling', async () => {
  const directory = await freshDirectory();
  const record = `{"tag":1.0,"date":"2025-01-15","big":12345678901234567890,"category":"Food","amount":0.10,"account":"a","deep":{"z":1e2,"a":[0.50]},"id":3}`;
  await writeLegacy(directory, `[${OLD},${record}]`);
  const store = await open(directory);
  const text = `{"date":"2025-01-15","business":null,"category":"Food","amount":0.1,"account":"a","currency":"₪","notes":null,"tag":1.0,"big":12345678901234567890,"deep":{"z":1e2,"a":[0.50]},"id":3}`;
  expect((await store.get(expense, 3))?.text).toBe(text);
  expect((await store.get(expense, 7))?.text).toBe(OLD_CANONICAL);
  await store.close();
  const again = await open(directory);
  expect((await again.get(expense, 3))?.text).toBe(text);
  const file = await readFile(join(directory, 'expenses.json'), 'utf8');
  expect(file).toContain('"tag": 1.0,');
  expect(file).toContain('"big": 12345678901234567890,');
});

test('I8: unknown names that look like integers, or end with a backslash, stay as they stand', async () => {
  const directory = await freshDirectory();
  const known = '"date":"2025-01-15","category":"Food","amount":1,"account":"a"';
  const records = ['"b":1,"10":2,"2":{"z":0,"1":0}', '"x":1," d\\\\":1', '"x":1," d\\"":2'];
  const canonical = (extra: string, id: number) =>
    `{"date":"2025-01-15","business":null,"category":"Food","amount":1,"account":"a","currency":"₪","notes":null,${extra},"id":${id}}`;
  const text = records.map((extra, at) => `{${known},${extra},"id":${at + 1}}`).join(',');
  await writeLegacy(directory, `[${text}]`);
  const store = await open(directory);
  for (const [at, extra] of records.entries()) {
    expect((await store.get(expense, at + 1))?.text).toBe(canonical(extra, at + 1));
  }
  const set = setOf({ notes: null });
  await run(store, { op: 'update', collection: expense, id: 3, set });
  await store.close();
  const again = await open(directory);
  for (const [at, extra] of records.entries()) {
    expect((await again.get(expense, at + 1))?.text).toBe(canonical(extra, at + 1));
  }
  expect(again.externalEdits()).toEqual([]);
});

test('records without ids get max + 1 on, in file order, and keep them', async () => {
  const directory = await freshDirectory();
  const some = ['a', 'b'].map((notes) => legacy({ notes }));
  await writeLegacy(directory, `[${some[0]},${OLD},${some[1]}]`);
  const notesById = async (store: Awaited<ReturnType<typeof open>>) =>
    (await store.scan(expense, 0, 10)).map(({ id, text }) => [id, JSON.parse(text ?? '').notes]);
  const store = await open(directory);
  const expected = [
    [7, ''],
    [8, 'a'],
    [9, 'b'],
  ];
  expect(await notesById(store)).toEqual(expected);
  expect(store.recoveryReport.idsGiven).toEqual({ expense: [8, 9] });
  await store.close();
  expect(await notesById(await open(directory))).toEqual(expected);
});

test('a record the schema can not hold is served as it is, sorts last, and can be repaired', async () => {
  const directory = await freshDirectory();
  const broken = [
    legacy({ date: '2025-02-30', id: 1 }),
    '{"id":2,"notes":"only","x":1.0}',
    legacy({ notes: 'a\0b', id: 3 }),
    legacy({ amount: 1.005, id: 4 }),
    legacy({ amount: 'many', id: 5 }),
    legacy({ notes: 5, id: 6 }),
  ];
  await writeLegacy(directory, `[${[...broken, OLD].join(',')}]`);
  const check = async (store: Awaited<ReturnType<typeof open>>) => {
    expect(store.mappingErrors().map(({ id }) => id)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(store.mappingErrorCount).toBe(6);
    expect(store.mappingErrors()[0]?.problems).toMatchObject([{ field: 'date' }]);
    for (const [index, text] of broken.entries()) {
      expect((await store.get(expense, index + 1))?.text).toBe(text);
    }
    const texts = await allTexts(store);
    expect(texts[0]).toBe(OLD_CANONICAL);
    expect(texts.slice(-2)).toEqual([broken[1], broken[0]]);
  };
  let store = await open(directory);
  await check(store);
  await store.close();
  store = await open(directory);
  await check(store);
  const put = (id: number, body: Record<string, unknown>) =>
    run(store, { op: 'update', collection: expense, id, set: setOf(body) });
  expect(await put(2, { notes: 'still' })).toMatchObject({ kind: 'invalid', id: 2 });
  expect(await put(1, { date: '2025-02-28' })).toMatchObject({ kind: 'updated', version: 2 });
  expect(await run(store, { op: 'delete', collection: expense, id: 3 })).toMatchObject({
    kind: 'deleted',
  });
  expect(store.mappingErrors().map(({ id }) => id)).toEqual([2, 4, 5, 6]);
});

test.each([
  ['no array', '{"a":1}', 1, /not an array/],
  ['no object', `[\n${OLD},\n5\n]`, 3, /element 2/],
  ['a repeated id', `[\n${OLD},\n\n${OLD}\n]`, 4, /id 7 is there twice/],
  ['an id that is a string', `[\n${legacy({ id: '5' })}]`, 2, /id "5"/],
  ['an id that is a fraction', `[\n${legacy({ id: 1.5 })}]`, 2, /id 1.5/],
  ['an id below 1', `[\n\n${legacy({ id: 0 })}]`, 3, /id 0/],
  ['an id that PostgreSQL can not hold', `[${legacy({ id: 2_147_483_648 })}]`, 1, /id 2147483648/],
  [
    'no id where none is left',
    `[${legacy({ id: 2_147_483_647 })},${legacy({ id: undefined })}]`,
    1,
    /has no id/,
  ],
  ['a null id', `[${legacy({ id: null })}]`, 1, /id null/],
  ['a comma too many', `[\n${OLD},\n]`, 3, /not JSON/],
  ['a file that ends early', `[\n${OLD}\n`, 3, /not JSON/],
  ['an empty file', '', 1, /not JSON/],
  ['NaN', `[\n${OLD.replace('100.0', 'NaN')}]`, 2, /not JSON/],
  ['a byte that is no UTF-8', Buffer.from(`[\n${OLD}\n,"\xff"]`, 'latin1'), 3, /not UTF-8/],
])(
  '%s refuses the opening with file, line and reason, and touches nothing',
  async (_what, text, line, reason) => {
    const directory = await freshDirectory();
    await writeFile(join(directory, 'incomes.json'), text);
    await writeLegacy(directory, `[${OLD}]`);
    const before = await filesBelow(directory);
    const error = await open(directory).catch((thrown) => thrown);
    expect(error).toMatchObject({ code: 'refused-to-open', detail: { line } });
    expect(error.message).toContain(join(directory, 'incomes.json'));
    expect(error.message).toMatch(reason);
    const { '/.tandem/lock': _lock, ...after } = await filesBelow(directory);
    expect(after).toEqual(before);
  },
);

test('a file that is too large to be read refuses the opening, and is named', async () => {
  const directory = await freshDirectory();
  await writeLegacy(directory, '[');
  // A hole: it takes no room on the disk.
  await truncate(join(directory, 'expenses.json'), 600 * 2 ** 20);
  const error = await open(directory).catch((thrown) => thrown);
  expect(error).toMatchObject({ code: 'refused-to-open' });
  expect(error.message).toContain(`${join(directory, 'expenses.json')}: it has 629145600 bytes`);
});

test('what a crashed adoption left behind does not matter', async () => {
  const directory = await freshDirectory();
  await writeLegacy(directory, `[${legacy({})},${OLD}]`);
  await mkdir(join(directory, '.tandem/adopted'), { recursive: true });
  await writeFile(join(directory, '.tandem/adopted/expenses.json'), '[half');
  await writeFile(join(directory, '.tandem/state-00000001.log'), 'half');
  await writeFile(join(directory, '.tandem/journal-00000001.log'), 'half');
  const store = await open(directory);
  expect((await store.scan(expense, 0, 5)).map(({ id }) => id)).toEqual([7, 8]);
  expect(await store.scan(income, 0, 5)).toEqual([]);
});
