import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** Below where Linux takes the ports of outgoing connections from (`ip_local_port_range`): among those, a
 *  port that was free a moment ago is somebody's own end of a connection the next. */
const FIRST = 15_000;
const LAST = 32_000;
const ATTEMPTS = 100;

/** Whether a server could listen there now, on loopback. */
export function portIsFree(port: number): Promise<boolean> {
  return new Promise((settle) => {
    const probe = createServer();
    probe.once('error', () => settle(false));
    probe.listen(port, '127.0.0.1', () => probe.close(() => settle(true)));
  });
}

/**
 * A loopback port that is free, and stays so until somebody else looks for one and draws the same.
 * @throws {Error} when there is none
 */
export async function freePort(): Promise<number> {
  for (let attempt = 0; attempt < ATTEMPTS; attempt++) {
    const port = randomInt(FIRST, LAST + 1);
    if (await portIsFree(port)) return port;
  }
  throw new Error(`No free loopback port from ${FIRST} to ${LAST} was found.`);
}
