import { expect, test } from 'vitest';
import { nestsDeeper } from './index.ts';

test('counts brackets outside of strings, to any depth', () => {
  expect(nestsDeeper('{"a":1}', 1)).toBe(false);
  expect(nestsDeeper('{"a":1}', 0)).toBe(true);
  expect(nestsDeeper('{"a":"[[\\"{[","b":[]}', 2)).toBe(false);
  expect(nestsDeeper('{"a\\\\":[[]]}', 2)).toBe(true);
  expect(nestsDeeper('{"a":[],"b":[],"c":{}}', 2)).toBe(false);
  const depth = 1_000_000;
  expect(nestsDeeper(`${'['.repeat(depth)}${']'.repeat(depth)}`, depth)).toBe(false);
  expect(nestsDeeper(`${'['.repeat(depth)}${']'.repeat(depth)}`, depth - 1)).toBe(true);
});
