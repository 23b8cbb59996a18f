import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { brotliCompressSync } from 'node:zlib';
import { expect, onTestFinished, test } from 'vitest';
import { appWithoutStore } from '../testing/app-without-store.ts';
import { rawExchange } from '../testing/raw-http.ts';

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

test('no path leads out of the folder: by dots, however they are written, or by a link that lies in it', async () => {
  const folder = builtConsole();
  const outside = mkdtempSync(join(tmpdir(), 'tandem-secret-'));
  onTestFinished(() => rmSync(outside, { recursive: true }));
  const secret = join(outside, 'operator-token');
  writeFileSync(secret, 'tdmo_the_secret');
  symlinkSync(secret, join(folder, 'link.txt'));
  symlinkSync(outside, join(folder, 'assets', 'folder'));
  writeFileSync(join(folder, 'assets', 'packed.js'), SCRIPT);
  symlinkSync(secret, join(folder, 'assets', 'packed.js.gz'));
  writeFileSync(join(folder, 'assets', 'later.js'), SCRIPT);
  const { app } = await appWithoutStore({ console: { folder } });
  onTestFinished(() => app.close());
  const url = new URL(await app.listen({ port: 0 }));
  const asked = (path: string): Promise<string> =>
    rawExchange(
      url,
      `GET ${path} HTTP/1.1\r\nHost: x\r\nAccept-Encoding: gzip\r\nConnection: close\r\n\r\n`,
    );
  expect(await asked('/console/assets/later.js')).toMatch(/^HTTP\/1.1 200 /);
  rmSync(join(folder, 'assets', 'later.js'));
  symlinkSync(secret, join(folder, 'assets', 'later.js'));
  const there = `${basename(outside)}/operator-token`;
  for (const path of [
    ...[`../${there}`, `assets/../../${there}`, `%2e%2e/${there}`, `..%2f${there}`],
    ...[`%2e%2e%2f${there.replace('/', '%2f')}`, `%252e%252e%252f${there}`, `..;/${there}`],
    ...[`..\\${there}`, `assets/..%5c..%5c${there}`, `%c0%ae%c0%ae/${there}`, `./../${there}`],
    ...[`/${secret}`, secret, `assets/index-abc.js/../../../${there}`, `index.html%00/../${there}`],
    ...['link.txt', 'assets/folder/operator-token', 'assets/packed.js', 'assets/later.js'],
  ]) {
    const answer = await asked(`/console/${path}`);
    expect(answer, path).toMatch(/^HTTP\/1.1 40[04] /);
    expect(answer, path).not.toContain('tdmo_');
  }
  // What is nobody's link is there as ever.
  expect(await asked('/console/')).toMatch(/^HTTP\/1.1 200 /);
});

test('where it was not built, the page says what to do, and all else is as ever', async () => {
  const { app } = await appWithoutStore({ console: { folder: '/nowhere/at/all' } });
  onTestFinished(() => app.close());
  const page = await app.inject('/console');
  expect(page.statusCode).toBe(503);
  expect(page.body).toContain('npm run build:console');
  expect((await app.inject('/health')).statusCode).toBe(200);
});
