import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { loadCollections } from '@tandem/storage/collections';
import { readConfiguration } from '@tandem/storage/configuration';
import { TandemError } from '@tandem/storage/errors';
import { silentLog } from '@tandem/storage/log';
import { ClientTokens, createToken, revokeToken, tokenFilePath } from '@tandem/storage/tokens';
import type { FastifyInstance, InjectOptions } from 'fastify';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AppOptions } from '../app.ts';
import { type Operators, openOperators } from '../operators.ts';
import { appWithoutStore } from '../testing/app-without-store.ts';
import type { RouteScope } from './access.ts';
import { LIBRARY_FILES, SCOPES, type Scope } from './scopes.ts';

//  Every route of the API × everything that somebody may bring, without any database: nothing listens
//  on port 1, and who is let in is decided all the same.

const OPERATOR = 'the-operators-token';
/** Options of the app that bring no routes, or that `appWithoutStore` has. */
type WithoutRoutes =
  | ('collections' | 'primary' | 'readiness' | 'log' | 'measuring' | 'rateLimits')
  | ('trustedProxies' | 'memoryLimitBytes' | 'bodyLimitBytes' | 'requestTimeoutMs')
  | ('closeGraceMs' | 'silenceMs');

const REFUSED: readonly number[] = [401, 403];
/** What each credential passes with; any route that is missing here lets it in to nobody. */
const PASSES: Readonly<Record<string, readonly Scope[]>> = {
  nothing: ['public'],
  'a wrong token': ['public'],
  'a mistyped token': ['public'],
  'a revoked token': ['public'],
  'a forged cookie': ['public'],
  'a token that reads': ['public', 'read'],
  'a token that writes': ['public', 'read', 'write'],
  'a token for metrics': ['public', 'metrics'],
  'the operators’ token': ['public', 'read', 'write', 'metrics', 'operator'],
  'the console’s cookie': ['public', 'operator'],
};

let directory: string;
let app: FastifyInstance;
let clients: ClientTokens;
let operators: Operators;
const headersOf: Record<string, Record<string, string>> = {};

beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'tandem-guard-'));
  const DATABASE_URL = 'postgres://somebody:secret@127.0.0.1:1/nowhere';
  const configuration = readConfiguration({ DATA_DIR: directory, DATABASE_URL });
  const make = (name: string, scope: 'read' | 'write' | 'metrics') =>
    createToken(directory, { name, scope, by: 'test' }).then(({ token }) => token);
  const tokens = {
    'a token that reads': await make('reads', 'read'),
    'a token that writes': await make('writes', 'write'),
    'a token for metrics': await make('metrics', 'metrics'),
    'a revoked token': await make('revoked', 'write'),
    'the operators’ token': OPERATOR,
    'a wrong token': 'a-token-that-nobody-made',
  };
  await revokeToken(directory, { which: 'revoked', by: 'test' });
  for (const [name, token] of Object.entries(tokens)) {
    headersOf[name] = { authorization: `Bearer ${token}` };
  }
  headersOf['a mistyped token'] = {
    authorization: `Bearer ${tokens['a token that writes'].slice(0, -1)}`,
  };
  clients = await ClientTokens.open({
    ...{ path: tokenFilePath(directory), configured: [], log: silentLog },
  });
  operators = await openOperators(configuration, await loadCollections(), silentLog);
  const folder = join(directory, 'console');
  await mkdir(join(folder, 'assets'), { recursive: true });
  for (const file of ['index.html', 'assets/index.js']) await writeFile(join(folder, file), '');
  // An option that is missing here does not compile: whoever adds one adds its routes.
  const everything: Required<Omit<AppOptions, WithoutRoutes>> = {
    access: { operatorToken: OPERATOR, clients },
    migration: operators,
    deadLetters: operators.deadLetters,
    consistency: operators.consistency,
    externalEdits: operators,
    audit: operators,
    snapshot: { snapshot: () => Promise.reject(new TandemError('unavailable', 'It is away.')) },
    console: { folder },
    metrics: { contentType: 'text/plain', text: async () => '' },
    corsOrigin: 'https://shop.example',
  };
  ({ app } = await appWithoutStore(everything));
  const console = { 'x-tandem-console': '1' };
  headersOf['a forged cookie'] = { ...console, cookie: 'tandem_session=zzzzzz.id.signature' };
  const headers = { authorization: `Bearer ${OPERATOR}` };
  const logIn = { method: 'POST', url: '/api/v1/migration/session', headers } as const;
  const cookie = String((await app.inject(logIn)).headers['set-cookie']).replace(/;.*/s, '');
  headersOf['the console’s cookie'] = { ...console, cookie };
});
afterAll(async () => {
  await app.close();
  clients.close();
  await operators.close();
  await rm(directory, { recursive: true, force: true });
});

/** A request that fits a route; each comes from an address of its own, so that none is barred. */
let asked = 0;
const requestTo = (
  { method, url }: RouteScope,
  headers: Record<string, string>,
): InjectOptions => ({
  method: method as 'GET',
  url: url.replaceAll(/:\w+|\*/g, '1'),
  remoteAddress: `10.${(++asked >> 16) & 255}.${(asked >> 8) & 255}.${asked & 255}`,
  headers: { 'content-type': 'application/json', ...headers },
});

const isOfSession = (method: string, url: string, wanted: string): boolean =>
  method === wanted && url === '/api/v1/migration/session';

test.each(Object.entries(PASSES))('%s passes %j, and no other route', async (name, scopes) => {
  const wrong: string[] = [];
  // The log-out last: it ends what the cookie stands for.
  const logOut = app.routeScopes.findIndex(({ method, url }) => isOfSession(method, url, 'DELETE'));
  const last = app.routeScopes[logOut] as RouteScope;
  for (const route of [...app.routeScopes.toSpliced(logOut, 1), last]) {
    const { statusCode } = await app.inject(requestTo(route, headersOf[name] ?? {}));
    const passed = !REFUSED.includes(statusCode);
    // A session is no way to another one.
    const isLogIn = isOfSession(route.method, route.url, 'POST');
    const may = scopes.includes(route.scope) && !(isLogIn && name === 'the console’s cookie');
    if (passed !== may) wrong.push(`${route.method} ${route.url} (${route.scope}): ${statusCode}`);
    expect(statusCode).not.toBe(429);
  }
  expect(wrong).toEqual([]);
});

test('without clients’ tokens the records are open, and nothing else is', async () => {
  const open = await appWithoutStore({
    access: { operatorToken: OPERATOR },
    metrics: { contentType: 'text/plain', text: async () => '' },
  });
  for (const route of open.app.routeScopes) {
    const { statusCode } = await open.app.inject(requestTo(route, {}));
    const isOpen = ['public', 'read', 'write'].includes(route.scope);
    expect({ ...route, isOpen: statusCode !== 401 }).toEqual({ ...route, isOpen });
  }
  await open.app.close();
});

/** The schemes that an operation of the scope names in the OpenAPI document; `{}`: also without any. */
const SECURITY: Readonly<Record<Scope, readonly object[]>> = {
  public: [],
  read: [{}, { clientToken: [] }, { operatorToken: [] }],
  write: [{}, { clientToken: [] }, { operatorToken: [] }],
  metrics: [{ operatorToken: [] }, { clientToken: [] }],
  operator: [{ operatorToken: [] }, { consoleSession: [] }],
};

test('the OpenAPI document says of every operation what it needs, and that it may be refused', async () => {
  const { paths } = (await app.inject('/openapi.json')).json();
  const documented = app.routeScopes.flatMap(({ method, url, scope }) => {
    const path = paths[url.replaceAll(/:(\w+)/g, '{$1}')];
    const operation = path?.[method.toLowerCase()];
    return operation === undefined ? [] : [{ method, url, scope, operation }];
  });
  expect(documented.length).toBeGreaterThan(40);
  for (const { method, url, scope, operation } of documented) {
    const where = `${method} ${url}`;
    const isLogIn = isOfSession(method, url, 'POST');
    const wanted = isLogIn ? [{ operatorToken: [] }] : SECURITY[scope];
    expect({ where, security: operation.security }).toEqual({ where, security: wanted });
    const refusals = scope === 'public' ? [] : ['401', '403', '429'];
    expect(Object.keys(operation.responses), where).toEqual(expect.arrayContaining(refusals));
  }
});

/** The files of a page are one line, as their names are nobody's decision. */
function withoutFile({ method, url }: RouteScope): string {
  const page = LIBRARY_FILES.find((path) => `${method} ${url}`.startsWith(path));
  return page === undefined ? url : `${page.slice('GET '.length)}*`;
}

test('the table of docs/security.md is what the routes declare', () => {
  const listed = app.routeScopes
    .filter(({ method }) => method !== 'HEAD')
    .map((route) => ({ ...route, url: withoutFile(route) }));
  const lines = SCOPES.flatMap((scope) =>
    [
      ...Map.groupBy(
        listed.filter((one) => one.scope === scope),
        ({ url }) => url,
      ),
    ]
      .sort(([one], [other]) => (one < other ? -1 : 1))
      .map(([url, routes]) => {
        const methods = [...new Set(routes.map(({ method }) => method))].sort();
        return `| ${scope} | \`${url}\` | ${methods.join(', ')} |`;
      }),
  );
  const path = join(import.meta.dirname, '../../../../docs/security.md');
  const documented = readFileSync(path, 'utf8').split('\n');
  expect(
    documented.filter((line) => /^\| (public|read|write|metrics|operator) \| `/.test(line)),
  ).toEqual(lines);
});
