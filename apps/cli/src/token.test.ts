import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { run } from './run.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'tandem-cli-'));
afterAll(() => rmSync(dataDir, { recursive: true, force: true }));

/** Runs `tandem token …`, without any database. */
async function token(args: readonly string[], variables: Record<string, string> = {}) {
  const data: string[] = [];
  const said: string[] = [];
  const exitCode = await run(
    ['token', ...args],
    { DATA_DIR: dataDir, ...variables },
    { data: (text) => data.push(text), say: (text) => said.push(text) },
  );
  return { exitCode, data: data.join('\n'), said: said.join('\n') };
}

test('a token is made and printed once, listed without it, and revoked', async () => {
  expect((await token(['list'])).data).toMatch(/\(0 tokens\)$/);
  const made = await token(['create', 'shop', '--scope', 'write']);
  expect(made).toMatchObject({
    exitCode: 0,
    data: expect.stringMatching(/^tdmc_[0-9A-Za-z]{49}$/),
  });
  expect(made.said).toMatch(
    /^Token [0-9a-f]{10} for shop may read and write records\.\nFrom now on /,
  );
  const read = await token(['create', 'reports', '--scope', 'read', '--json'], {
    ALLOW_ANONYMOUS_CLIENTS: 'true',
  });
  expect(read.said).toMatch(/may read records\.\nClients may still come without one/);
  const secret = JSON.parse(read.data).token;
  expect((await token(['create', 'prometheus', '--scope', 'metrics'])).said).toMatch(/metrics\.$/);

  expect(await token(['revoke', 'shop'])).toMatchObject({
    exitCode: 0,
    said: expect.stringMatching(/^Token [0-9a-f]{10} of shop is revoked\.$/),
  });
  const listed: object[] = JSON.parse((await token(['list', '--json'])).data);
  expect(listed).toMatchObject([
    { name: 'shop', scope: 'write', revokedAt: expect.any(String) },
    { name: 'reports', scope: 'read', revokedAt: null },
    { name: 'prometheus', scope: 'metrics' },
  ]);
  expect((await token([])).data).toMatch(/^ [0-9a-f]{10} \| shop +\| write +\|.*\(3 tokens\)$/ms);
  const kept = readFileSync(join(dataDir, 'tokens.json'), 'utf8');
  for (const text of [kept, JSON.stringify(listed)]) {
    expect(text).not.toContain(made.data);
    expect(text).not.toContain(secret);
  }
  expect(JSON.stringify(listed)).not.toContain('sha256');
});

test('a name that is taken is status 3, one that is unknown 1, a wrong scope 2', async () => {
  await token(['create', 'twice', '--scope', 'read']);
  expect(await token(['create', 'twice', '--scope', 'read'])).toMatchObject({
    exitCode: 3,
    data: '',
  });
  expect(await token(['revoke', 'nobody'])).toMatchObject({ exitCode: 1 });
  expect(await token(['create', 'all', '--scope', 'all'])).toMatchObject({ exitCode: 2 });
  expect(await token(['create', 'none'])).toMatchObject({ exitCode: 2 });
  expect(await token(['create', 'two words', '--scope', 'read'])).toMatchObject({ exitCode: 1 });
});
