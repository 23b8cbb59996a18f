import { Credentials } from '@tandem/storage/tokens';
import Fastify from 'fastify';
import plugin from 'fastify-plugin';
import { expect, test } from 'vitest';
import { access } from './access.ts';
import { Door } from './door.ts';

const memory = { isOver: false };
const door = new Door({ credentials: new Credentials({}) });

test('a route that does not say whom it is for can not be built', async () => {
  const app = Fastify();
  await app.register(access, { door, memory });
  expect(() => app.get('/open', () => 'x')).toThrow('GET /open declares no scope');
  const scope = 'everybody' as 'public';
  expect(() => app.get('/misspelt', { config: { scope } }, () => 'x')).toThrow('/misspelt');
  const part = plugin(async (within) => void within.post('/within', () => 'x'), {
    encapsulate: true,
  });
  await expect(app.register(part)).rejects.toThrow('POST /within declares no scope');
  await app.close();
});

test('without an operators’ token nobody is an operator', async () => {
  const app = Fastify();
  await app.register(access, { door, memory });
  app.get('/operators', { config: { scope: 'operator' } }, () => 'x');
  for (const authorization of ['', 'Bearer', 'Bearer undefined']) {
    expect((await app.inject({ url: '/operators', headers: { authorization } })).statusCode).toBe(
      401,
    );
  }
  expect((await app.inject('/operators')).statusCode).toBe(401);
  await app.close();
});
