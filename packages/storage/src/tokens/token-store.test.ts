import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { recordingLog } from '../testing/index.ts';
import { ClientTokens } from './client-tokens.ts';
import { Credentials } from './credentials.ts';
import { readEnvironmentTokens } from './environment-tokens.ts';
import type { TokenScope } from './token-record.ts';
import { createToken, readTokens, revokeToken, tokenFilePath } from './token-store.ts';

const WAIT = { timeout: 10_000, interval: 20 };

async function freshDataDir(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'tandem-tokens-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true }));
  return join(directory, 'data');
}

const create = async (dataDir: string, name: string, scope: TokenScope = 'write') =>
  (await createToken(dataDir, { name, scope, by: 'ann@here' })).token;
const revoke = (dataDir: string, which: string) => revokeToken(dataDir, { which, by: 'ann@here' });

/** What a running process makes of the tokens of a folder. */
async function opened(dataDir: string, environment = '') {
  const configured = environment === '' ? [] : readEnvironmentTokens(environment);
  if (typeof configured === 'string') throw new Error(configured);
  const log = recordingLog();
  const clients = await ClientTokens.open({ path: tokenFilePath(dataDir), configured, log });
  onTestFinished(() => clients.close());
  const credentials = new Credentials({ clients, operatorToken: 'the-operators-token' });
  const weigh = (token: string) => {
    const found = credentials.authenticate(`Bearer ${token}`);
    return 'grant' in found ? found.grant.scope : found.refused;
  };
  return { clients, credentials, weigh, log };
}

test('a token is kept as its digest, in a file for its owner alone', async () => {
  const dataDir = await freshDataDir();
  expect(await readTokens(tokenFilePath(dataDir))).toBeUndefined();
  const token = await create(dataDir, 'shop', 'read');
  const path = tokenFilePath(dataDir);
  const text = await readFile(path, 'utf8');
  expect(text).not.toContain(token);
  expect(text).not.toContain(token.slice(5, 20));
  expect(JSON.parse(text)).toEqual({
    format: 1,
    tokens: [
      {
        ...{ id: expect.stringMatching(/^[0-9a-f]{10}$/), name: 'shop', scope: 'read' },
        ...{ sha256: expect.stringMatching(/^[0-9a-f]{64}$/), createdBy: 'ann@here' },
        ...{ createdAt: expect.any(String), revokedAt: null, revokedBy: null },
      },
    ],
  });
  expect((await stat(path)).mode & 0o777).toBe(0o600);
  expect((await readdir(dataDir)).sort()).toEqual(['tokens.json', 'tokens.json.lock']);
});

test('of commands at the same time each one counts; a live name is given once', async () => {
  const dataDir = await freshDataDir();
  const names = Array.from({ length: 8 }, (_, at) => `client-${at}`);
  await Promise.all(names.map((name) => create(dataDir, name)));
  await Promise.all([revoke(dataDir, 'client-1'), create(dataDir, 'other')]);
  const { tokens = [] } = (await readTokens(tokenFilePath(dataDir))) ?? {};
  expect(tokens.map(({ name }) => name).sort()).toEqual([...names, 'other']);
  expect(tokens.filter(({ revokedAt }) => revokedAt !== null)).toMatchObject([
    { name: 'client-1', revokedBy: 'ann@here' },
  ]);
  await expect(create(dataDir, 'other')).rejects.toMatchObject({ code: 'conflict' });
  await expect(create(dataDir, 'two words')).rejects.toMatchObject({ code: 'invalid' });
  await expect(revoke(dataDir, 'client-1')).rejects.toMatchObject({ code: 'not-found' });
  const id = tokens.find(({ name }) => name === 'other')?.id ?? '';
  expect((await revoke(dataDir, id)).name).toBe('other');
  expect(await create(dataDir, 'other')).toMatch(/^tdmc_/);
});

test('a running process notices a new token and a revoked one, and the last one opens nothing', async () => {
  const dataDir = await freshDataDir();
  const { clients, weigh } = await opened(dataDir);
  expect(clients.areThere).toBe(false);
  const metrics = await create(dataDir, 'prometheus', 'metrics');
  await vi.waitUntil(() => weigh(metrics) === 'metrics', WAIT);
  // Who may read metrics is no client of the records.
  expect(clients.areThere).toBe(false);
  const token = await create(dataDir, 'shop');
  await vi.waitUntil(() => weigh(token) === 'write', WAIT);
  expect(clients.areThere).toBe(true);
  expect(weigh(`${token.slice(0, -1)}?`)).toBe('This token is mistyped: its checksum is wrong.');
  expect(weigh(await create(await freshDataDir(), 'elsewhere'))).toBe(
    'This token is not known here.',
  );
  expect(weigh('the-operators-token')).toBe('operator');

  await revoke(dataDir, 'shop');
  await vi.waitUntil(() => weigh(token) === 'This token was revoked.', WAIT);
  expect(clients.areThere).toBe(true);
  expect((await opened(dataDir)).clients.areThere).toBe(true);
});

test('a file that is gone takes its tokens along, one that is broken leaves them; neither opens', async () => {
  const dataDir = await freshDataDir();
  const token = await create(dataDir, 'shop');
  const { clients, weigh, log } = await opened(dataDir);
  const path = tokenFilePath(dataDir);
  const text = await readFile(path, 'utf8');
  for (const broken of [
    '{',
    '[]',
    '{"format":1,"tokens":[{}]}',
    text.replace('"write"', '"all"'),
  ]) {
    const before = log.sentences('error').length;
    await writeFile(path, broken);
    await vi.waitUntil(() => log.sentences('error').length > before, WAIT);
    expect(weigh(token)).toBe('write');
    await expect(opened(dataDir)).rejects.toMatchObject({ code: 'configuration' });
  }
  await rm(path);
  await vi.waitUntil(() => weigh(token) === 'This token is not known here.', WAIT);
  expect(clients.areThere).toBe(true);
  await writeFile(path, text);
  await vi.waitUntil(() => weigh(token) === 'write', WAIT);
});

test('CLIENT_TOKENS has tokens with and without a scope, and repeats none that is wrong', async () => {
  const ours = await create(await freshDataDir(), 'shop');
  const given = `read:a-token-that-reads, metrics:token-of-prometheus,${ours}`;
  const { clients, weigh } = await opened(await freshDataDir(), given);
  expect(clients.areThere).toBe(true);
  expect(['a-token-that-reads', 'token-of-prometheus', ours].map(weigh)).toEqual([
    'read',
    'metrics',
    'write',
  ]);
  expect((await opened(await freshDataDir(), 'metrics:token-of-prometheus')).clients.areThere).toBe(
    false,
  );
  expect(readEnvironmentTokens('a-token-that-is-long-enough,short')).toMatch(/place 2 is none\.$/);
  const cut = ours.slice(0, -1);
  expect(readEnvironmentTokens(cut)).toMatch(/checksum of the token at place 1 is wrong\.$/);
  expect(readEnvironmentTokens(cut)).not.toContain(cut);
});
