//   client ──> statement by statement ──> server
//                 │ arm(): from the next BEGIN on, statements of that connection are counted
//                 └ the chosen one is lost on its way there, or its answer on the way back:
//                      cut (FIN), reset (RST), or stall (bytes wait until heal(), then arrive late)
//
// Message formats: PostgreSQL documentation, "Frontend/Backend Protocol", chapter 55.7.
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';

export interface StatementFault {
  /** Which statement of the transaction, from 1; one that never comes only counts. */
  readonly at: number;
  readonly how: 'cut' | 'reset' | 'stall';
  /** Whether the server gets it and answers. */
  readonly delivered: boolean;
}

/** A transaction that is watched, from `arm` on. */
interface Watched {
  /** Statements sent in it, BEGIN and COMMIT included. */
  readonly statements: number;
  /** Whether the fault has happened. */
  readonly happened: boolean;
}

/** A TCP connection to a database that loses chosen statements or their answers. */
export interface StatementProxy {
  readonly url: string;
  arm(fault: StatementFault): Watched;
  /** Lets what was stalled arrive, also when the client has left meanwhile. */
  heal(): void;
  close(): Promise<void>;
}

const QUERY = 'Q'.charCodeAt(0);
const SYNC = 'S'.charCodeAt(0);
const READY = 'Z'.charCodeAt(0);
/** Messages that belong to a statement until its Sync: Parse, Bind, Describe, Execute, Close. */
const PARTS = new Set([...'PBDEC'].map((letter) => letter.charCodeAt(0)));

/** Splits a stream into messages of type and length; the very first has no type. */
function splitter(hasTypes: boolean): (data: Buffer) => Buffer[] {
  let rest = Buffer.alloc(0);
  let typed = hasTypes;
  return (data) => {
    rest = Buffer.concat([rest, data]);
    const messages: Buffer[] = [];
    for (;;) {
      const head = typed ? 1 : 0;
      if (rest.length < head + 4) return messages;
      const length = head + rest.readInt32BE(head);
      if (rest.length < length) return messages;
      messages.push(rest.subarray(0, length));
      rest = rest.subarray(length);
      typed = true;
    }
  };
}

/** Starts a proxy on a free loopback port, to the host and port of a `postgres://` URL. */
export async function startStatementProxy(databaseUrl: string): Promise<StatementProxy> {
  const target = new URL(databaseUrl);
  const sockets = new Set<Socket>();
  const held: (() => void)[] = [];
  let armed:
    | { fault: StatementFault; by?: Socket; statements: number; happened: boolean }
    | undefined;

  const listener = createServer((client) => {
    const server = connect(Number(target.port), target.hostname);
    const end = (how: 'destroy' | 'resetAndDestroy') => {
      for (const socket of [client, server]) {
        sockets.delete(socket);
        socket[how]();
      }
    };
    for (const socket of [client, server]) {
      sockets.add(socket);
      socket.setNoDelay(true); // It writes in pieces; each would wait for the last one's receipt.
      socket.on('error', () => {}); // A broken connection is what this is for.
    }
    /** Set when the answer is to be lost: what to do once it is whole. */
    let swallow: { answer: Buffer[]; whole: () => void } | undefined;
    let isStalled = false;

    const strike = ({ how }: StatementFault, late: () => void) => {
      if (how === 'cut') end('destroy');
      else if (how === 'reset') end('resetAndDestroy');
      else {
        isStalled = true;
        held.push(() => {
          isStalled = false;
          late();
          if (client.destroyed) server.end();
        });
      }
    };

    const statement = (bytes: Buffer) => {
      const begins = bytes[0] === QUERY && bytes.subarray(5, 10).toString() === 'BEGIN';
      if (armed !== undefined && armed.by === undefined && begins) armed.by = client;
      if (armed?.by !== client || armed.happened) return server.write(bytes);
      armed.statements += 1;
      const { fault } = armed;
      if (armed.statements !== fault.at) return server.write(bytes);
      armed.happened = true;
      if (!fault.delivered) return strike(fault, () => server.write(bytes));
      const answer: Buffer[] = [];
      swallow = {
        answer,
        whole: () => strike(fault, () => client.write(Buffer.concat(answer))),
      };
      return server.write(bytes);
    };

    const fromClient = splitter(false);
    let parts: Buffer[] = [];
    client.on('data', (data) => {
      for (const message of fromClient(data)) {
        const [type] = message;
        parts.push(message);
        if (type !== undefined && PARTS.has(type)) continue;
        const whole = Buffer.concat(parts);
        parts = [];
        if (type === QUERY || type === SYNC) statement(whole);
        else server.write(whole);
      }
    });
    const fromServer = splitter(true);
    server.on('data', (data) => {
      for (const message of fromServer(data)) {
        if (swallow === undefined) client.write(message);
        else {
          swallow.answer.push(message);
          if (message[0] !== READY) continue;
          const { whole } = swallow;
          swallow = undefined;
          whole();
        }
      }
    });
    client.on('close', () => {
      if (!isStalled) end('destroy');
    });
    server.on('close', () => end('destroy'));
  });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const address = listener.address();
  if (address === null || typeof address === 'string') throw new Error('The proxy has no port.');
  const url = new URL(databaseUrl);
  url.host = `127.0.0.1:${address.port}`;

  return {
    url: url.href,
    arm(fault) {
      const watched = { fault, statements: 0, happened: false };
      armed = watched;
      return watched;
    },
    heal() {
      armed = undefined;
      for (const release of held.splice(0)) release();
    },
    async close() {
      const closed = once(listener, 'close');
      listener.close();
      for (const socket of sockets) socket.destroy();
      await closed;
    },
  };
}
