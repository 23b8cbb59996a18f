import { describe, expect, test } from 'vitest';
import { isNotModified, readIfMatch } from './entity-tags.ts';

describe('If-Match', () => {
  test.each([
    [undefined, undefined],
    ['*', '*'],
    [' * ', '*'],
    ['"1-2"', [{ epoch: 1, version: 2 }]],
    [
      '"1-2", "3-4"',
      [
        { epoch: 1, version: 2 },
        { epoch: 3, version: 4 },
      ],
    ],
    [
      '"1-2","3-4" ,',
      [
        { epoch: 1, version: 2 },
        { epoch: 3, version: 4 },
      ],
    ],
  ])('%j accepts %j', (header, accepted) => {
    expect(readIfMatch(header)).toEqual(accepted);
  });

  test.each(['W/"1-2"', '"another-server"', '"01-2"', '"1-2-3"', '""'])(
    '%s is a tag that never matches',
    (header) => expect(readIfMatch(header)).toEqual([]),
  );

  test.each(['', ' ', '1-2', '"1-2', '"1-2" "3-4"', 'w/"1-2"', '*, "1-2"'])(
    '%j is no list of tags',
    (header) => {
      expect(() => readIfMatch(header)).toThrow(expect.objectContaining({ code: 'invalid' }));
    },
  );
});

describe('If-None-Match', () => {
  test.each([
    [undefined, false],
    ['"1-2"', true],
    ['W/"1-2"', true],
    ['"1-1", "1-2"', true],
    ['*', true],
    ['"1-1"', false],
    ['"1-20"', false],
    ['1-2', false],
  ])('%s against "1-2" is %s', (header, notModified) => {
    expect(isNotModified(header, '"1-2"')).toBe(notModified);
  });
});
