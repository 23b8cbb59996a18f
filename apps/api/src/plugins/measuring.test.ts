import { expect, test } from 'vitest';
import { appWithoutStore } from '../testing/app-without-store.ts';

test('each request is measured once, by its route and never by its path', async () => {
  const ended: object[] = [];
  const ignore = () => undefined;
  const requests = { ended: (one: object) => ended.push(one), wrote: ignore, refused: ignore };
  const { app } = await appWithoutStore({
    measuring: { requests, phase: () => 'json-only' },
    access: { operatorToken: 'a-token-of-sixteen' },
    metrics: { contentType: 'text/plain', text: async () => 'a 1\n' },
  });
  const authorization = 'Bearer a-token-of-sixteen';
  expect((await app.inject('/metrics')).statusCode).toBe(401);
  expect((await app.inject({ url: '/metrics', headers: { authorization } })).body).toBe('a 1\n');
  await app.inject('/api/v1/expense/7');
  await app.inject({ method: 'HEAD', url: '/api/v1/expense?limit=1' });
  await app.inject({ method: 'DELETE', url: '/api/v1/expense/7?x' });
  await app.inject('/a/path/nobody/knows');
  await app.close();
  const told = { phase: 'json-only', seconds: expect.any(Number) };
  expect(ended).toEqual([
    { ...told, method: 'GET', route: '/metrics', status: 401 },
    { ...told, method: 'GET', route: '/metrics', status: 200 },
    { ...told, method: 'GET', route: '/api/v1/expense/:id', status: 503 },
    { ...told, method: 'HEAD', route: '/api/v1/expense', status: 503 },
    { ...told, method: 'DELETE', route: '/api/v1/expense/:id', status: 503 },
    { ...told, method: 'GET', route: 'none', status: 404 },
  ]);
});
