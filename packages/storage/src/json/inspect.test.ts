import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { freshDirectory } from '../testing/json-fixture.ts';
import { inspectJsonStore } from './index.ts';

test('a directory that is a file is told in a sentence that names it', async () => {
  const file = join(await freshDirectory(), 'json');
  await writeFile(file, 'not a folder');
  await expect(inspectJsonStore(file)).rejects.toMatchObject({
    code: 'storage-failed',
    message: expect.stringContaining(`reading ${file}`),
  });
});
