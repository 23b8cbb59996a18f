import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { expect, test } from 'vitest';
import { freePort, portIsFree } from './free-port.ts';

test('a free port is none that an outgoing connection may take', async () => {
  const range = readFileSync('/proc/sys/net/ipv4/ip_local_port_range', 'utf8');
  const [low = 0, high = 0] = range.trim().split(/\s+/).map(Number);
  for (let time = 0; time < 20; time++) {
    const port = await freePort();
    expect(port < low || port > high, `${port} in ${low} to ${high}`).toBe(true);
  }
});

test('a port is not free while somebody listens there', async () => {
  const port = await freePort();
  const server = createServer();
  await new Promise<void>((listening) => server.listen(port, '127.0.0.1', listening));
  expect(await portIsFree(port)).toBe(false);
  await new Promise((closed) => server.close(closed));
  expect(await portIsFree(port)).toBe(true);
});
