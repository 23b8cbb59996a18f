import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { appWithoutStore } from '../testing/app-without-store.ts';

const SCRIPT = 'console.log("here");\n'.repeat(100);

function builtConsole(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-console-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  mkdirSync(join(folder, 'assets'));
  writeFileSync(join(folder, '.built-from'), 'these sources');
  writeFileSync(join(folder, 'index.html'), '<!doctype html>');
  writeFileSync(join(folder, 'assets', 'index-abc.js'), SCRIPT);
  writeFileSync(join(folder, 'assets', 'index-abc.js.br'), brotliCompressSync(SCRIPT));
  return folder;
}

test('the page may use what this server sends in files and nothing else; what has a hash in its name is kept for good', async () => {
  const { app } = await appWithoutStore({ console: { folder: builtConsole() } });
  onTestFinished(() => app.close());
  const page = await app.inject('/console');
  expect([page.statusCode, page.body]).toEqual([200, '<!doctype html>']);
  expect(page.headers).toMatchObject({
    'content-type': 'text/html; charset=utf-8',
    'cache-control': 'no-cache',
    'content-security-policy':
      "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    'x-content-type-options': 'nosniff',
    'referrer-policy': 'no-referrer',
    etag: expect.any(String),
  });
  const etag = page.headers.etag as string;
  const again = await app.inject({ url: '/console', headers: { 'if-none-match': etag } });
  expect(again.statusCode).toBe(304);

  const asset = { url: '/console/assets/index-abc.js' };
  const script = await app.inject(asset);
  expect(script.body).toBe(SCRIPT);
  expect(script.headers['cache-control']).toBe('public, max-age=31536000, immutable');
  const packed = await app.inject({ ...asset, headers: { 'accept-encoding': 'br' } });
  expect(packed.headers['content-encoding']).toBe('br');
  expect(packed.rawPayload.length).toBeLessThan(SCRIPT.length / 10);
});

test('nothing but the files of the page is served', async () => {
  const { app } = await appWithoutStore({ console: { folder: builtConsole() } });
  onTestFinished(() => app.close());
  for (const path of [
    ...['.built-from', 'assets/', 'assets', 'assets/index-abc.js.br', 'assets/other.js'],
    ...['../package.json', '%2e%2e/package.json', '..%2fpackage.json', 'assets/..%5c..%5cx'],
  ]) {
    expect((await app.inject(`/console/${path}`)).statusCode, path).toBe(404);
  }
});

test('where it was not built, the page says what to do, and all else is as ever', async () => {
  const { app } = await appWithoutStore({ console: { folder: '/nowhere/at/all' } });
  onTestFinished(() => app.close());
  const page = await app.inject('/console');
  expect(page.statusCode).toBe(503);
  expect(page.body).toContain('npm run build:console');
  expect((await app.inject('/health')).statusCode).toBe(200);
});
