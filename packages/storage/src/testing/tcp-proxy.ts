//   client ──> proxy ──> server      flowing (default)
//          stall(): bytes wait, connections stay      resume()
//          cut(), reset(): connections end with FIN, RST
//          refuse(): new connections end at once      accept()
//          slow(ms): bytes arrive that much later, both ways      slow(0)
//          cutAt('COMMIT', …): the connection that sends it ends, before or after the server has it
//          stallAt('COMMIT'): the server has it; its answer, and all after it, wait until resume()

import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { DelayedWriter } from './delayed-writer.ts';

interface CutAt {
  /** Whether the server gets the statement, and has answered it, before the client loses it. */
  readonly delivered: boolean;
}

/** A TCP connection to a database that a test can break in the ways networks do. */
export interface TcpProxy {
  /** The database's URL, through the proxy. */
  readonly url: string;
  readonly connections: number;
  cut(): void;
  reset(): void;
  stall(): void;
  resume(): void;
  refuse(): void;
  accept(): void;
  slow(delayMs: number): void;
  /**
   * Ends the next connection that sends the statement `text` alone in a simple query, once. Resolves
   * when that happened. The statement is looked for in each packet: fit for short ones.
   */
  cutAt(text: string, options: CutAt): Promise<void>;
  /** Holds back the answer to such a statement, once. Resolves when the server has given it. */
  stallAt(text: string): Promise<void>;
  /** Forgets what `cutAt` or `stallAt` waits for, if it has not come. */
  disarm(): void;
  close(): Promise<void>;
}

interface Trap {
  readonly bytes: Buffer;
  readonly delivered: boolean;
  /** Its answer waits instead of being lost with the connection. */
  readonly stalls: boolean;
  readonly sprung: () => void;
}

interface Pair {
  readonly client: Socket;
  readonly server: Socket;
  readonly toClient: DelayedWriter;
  readonly toServer: DelayedWriter;
  /** The server's next answer ends the connection instead of reaching the client. */
  swallow: Trap | undefined;
}

/** Starts a proxy on a free loopback port, to the host and port of a `postgres://` URL. */
export async function startTcpProxy(databaseUrl: string): Promise<TcpProxy> {
  const target = new URL(databaseUrl);
  const pairs = new Set<Pair>();
  let refusing = false;
  let stalled = false;
  let delayMs = 0;
  let trap: Trap | undefined;

  const end = (pair: Pair, how: 'destroy' | 'resetAndDestroy') => {
    pairs.delete(pair);
    pair.client[how]();
    pair.server[how]();
  };

  const fromClient = (pair: Pair, data: Buffer) => {
    if (trap === undefined || !data.includes(trap.bytes)) {
      pair.toServer.write(data);
      return;
    }
    const { delivered, sprung } = trap;
    if (delivered) {
      pair.swallow = trap;
      pair.toServer.write(data);
    } else {
      end(pair, 'destroy');
      sprung();
    }
    trap = undefined;
  };

  const fromServer = (pair: Pair, data: Buffer) => {
    if (pair.swallow === undefined) {
      pair.toClient.write(data);
      return;
    }
    const { stalls, sprung } = pair.swallow;
    pair.swallow = undefined;
    if (stalls) {
      pause(pair);
      pair.server.unshift(data);
    } else end(pair, 'destroy');
    sprung();
  };

  const listener = createServer((client) => {
    client.on('error', () => {}); // A broken connection is what this is for.
    if (refusing) {
      client.resetAndDestroy();
      return;
    }
    const server = connect(Number(target.port), target.hostname);
    server.on('error', () => {});
    const delay = () => delayMs;
    const [toClient, toServer] = [
      new DelayedWriter(client, delay),
      new DelayedWriter(server, delay),
    ];
    const pair: Pair = { client, server, toClient, toServer, swallow: undefined };
    pairs.add(pair);
    client.on('data', (data) => fromClient(pair, data));
    server.on('data', (data) => fromServer(pair, data));
    client.on('close', () => end(pair, 'destroy'));
    server.on('close', () => end(pair, 'destroy'));
    if (stalled) pause(pair);
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${address.port}`;

  return {
    url: url.href,
    get connections() {
      return pairs.size;
    },
    cut() {
      for (const pair of pairs) end(pair, 'destroy');
    },
    reset() {
      for (const pair of pairs) end(pair, 'resetAndDestroy');
    },
    stall() {
      stalled = true;
      for (const pair of pairs) pause(pair);
    },
    resume() {
      stalled = false;
      for (const { client, server } of pairs) {
        client.resume();
        server.resume();
      }
    },
    refuse() {
      refusing = true;
    },
    accept() {
      refusing = false;
    },
    slow(ms) {
      delayMs = ms;
    },
    cutAt: (text, { delivered }) =>
      new Promise((sprung) => {
        trap = { bytes: Buffer.from(`${text}\0`), delivered, stalls: false, sprung };
      }),
    stallAt: (text) =>
      new Promise((sprung) => {
        trap = { bytes: Buffer.from(`${text}\0`), delivered: true, stalls: true, sprung };
      }),
    disarm() {
      trap = undefined;
    },
    async close() {
      const closed = once(listener, 'close');
      listener.close();
      for (const pair of pairs) end(pair, 'destroy');
      await closed;
    },
  };
}

function pause({ client, server }: Pair): void {
  client.pause();
  server.pause();
}
