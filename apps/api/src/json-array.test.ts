import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { jsonArray } from './json-array.ts';

/** Chunks of texts, and whether their iteration has ended. */
function source(chunks: readonly string[][], failure?: Error) {
  const state = { ended: false, read: 0 };
  async function* iterate() {
    try {
      for (const chunk of chunks) {
        state.read++;
        yield chunk;
      }
      if (failure !== undefined) throw failure;
    } finally {
      state.ended = true;
    }
  }
  return { state, chunks: iterate() };
}

const record = (id: number) => `{"notes":"${'x'.repeat(1_000)}","id":${id}}`;
const many = Array.from({ length: 50 }, (_, chunk) =>
  Array.from({ length: 10 }, (_, at) => record(chunk * 10 + at)),
);

async function stream(chunks: AsyncIterable<readonly string[]>): Promise<Readable> {
  const array = await jsonArray(chunks);
  if (typeof array === 'string') throw new Error('A stream was expected.');
  return array;
}

test.each([
  ['nothing', [], '[]'],
  ['empty chunks', [[], []], '[]'],
  ['one', [['{"id":1}']], '[{"id":1}]'],
  ['chunks of several sizes', [['1', '2'], [], ['3']], '[1,2,3]'],
])('a short array of %s is a string', async (_what, chunks, expected) => {
  expect(await jsonArray(source(chunks).chunks)).toBe(expected);
});

test('a long array is streamed whole', async () => {
  const { state, chunks } = source(many);
  const array = await stream(chunks);
  expect(state.read).toBeLessThan(many.length);
  expect(await text(array)).toBe(`[${many.flat().join(',')}]`);
  expect(state.ended).toBe(true);
});

test('a source that can not begin rejects, so that it becomes an error response', async () => {
  const failure = new Error('unreachable');
  await expect(jsonArray(source([], failure).chunks)).rejects.toBe(failure);
});

test('a source that breaks off ends the stream with its error, never with a bracket', async () => {
  const failure = new Error('broken off');
  const array = await stream(source(many, failure).chunks);
  let seen = '';
  const reading = (async () => {
    for await (const piece of array) seen += piece;
  })();
  await expect(reading).rejects.toBe(failure);
  expect(seen.endsWith(']')).toBe(false);
});

test.each([
  ['before anything was read from it', false],
  ['after a first piece', true],
])('destroying the stream %s ends the source', async (_when, begin) => {
  const { state, chunks } = source(many);
  const array = await stream(chunks);
  if (begin) await once(array, 'readable');
  const closed = once(array, 'close');
  array.destroy();
  await closed;
  expect(state.ended).toBe(true);
  expect(state.read).toBeLessThan(many.length);
});
