import { describe, expect, test } from 'vitest';
import { cursorOf, nextPageLink, readPageRequest } from './page-request.ts';

const base64url = (text: string) => Buffer.from(text).toString('base64url');

test('no query asks for the whole list', () => {
  expect(readPageRequest({})).toBeUndefined();
  expect(readPageRequest({ other: '1' })).toBeUndefined();
});

test.each(['1', '7', '1000'])('limit=%s', (limit) => {
  expect(readPageRequest({ limit })).toEqual({ limit: Number(limit) });
});

test.each(['', '0', '-1', '1001', '1.5', '1e2', '٣', 'ten', ' 1', ['1', '2']])(
  'limit=%j is invalid',
  (limit) => {
    expect(() => readPageRequest({ limit })).toThrow(expect.objectContaining({ code: 'invalid' }));
  },
);

describe('cursor', () => {
  test.each([
    { date: '2025-12-07', id: 12 },
    { date: '', id: 1 },
    { date: '9999-12-31', id: 2_147_483_647 },
  ])('brings the position $date $id back', (position) => {
    expect(readPageRequest({ cursor: cursorOf(position) })).toMatchObject({ after: position });
    const link = nextPageLink('/api/v1/expense', 5, position);
    const [, query] = /^<\/api\/v1\/expense\?(.*)>; rel="next"$/.exec(link) ?? [];
    expect(readPageRequest(Object.fromEntries(new URLSearchParams(query)))).toEqual({
      limit: 5,
      after: position,
    });
  });

  test.each([
    '',
    'nonsense',
    base64url('2025-12-07'),
    base64url('2025-12-07/0'),
    base64url('2025-12-07/2147483648'),
    base64url("2025-12-07'/1"),
    base64url('2025-02-30/1'),
    base64url('0000-01-01/1'),
    `${base64url('2025-12-07/1')}=`,
    ` ${base64url('2025-12-07/1')}`,
  ])('%j is none we gave', (cursor) => {
    expect(() => readPageRequest({ cursor })).toThrow(expect.objectContaining({ code: 'invalid' }));
  });
});
