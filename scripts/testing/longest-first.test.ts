import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { root } from '../root.ts';
import { LONG } from './longest-first.ts';

test('every file that is to be begun first is there', () => {
  expect(LONG.filter((file) => !existsSync(join(root, file)))).toEqual([]);
});
