import { createServer } from 'node:net';
import { freePort } from '@tandem/embedded-postgres';
import { sentenceOf, TandemError } from '@tandem/storage/errors';

/** A port as the configuration asks for it; 0 asks for any free one. */
interface WantedPort {
  readonly variable: string;
  readonly port: number;
}

const REASONS: Readonly<Record<string, string>> = {
  EADDRINUSE: 'is already in use',
  EACCES: 'may not be used by this user',
};

/**
 * Looks whether every port can be listened on, holding all of them until the last was looked at, so
 * that two equal ones are seen too.
 * @returns the ports, with any asked for as 0 chosen
 * @throws {TandemError} `configuration` naming the port, its variable and the host
 */
export async function findPorts(host: string, wanted: readonly WantedPort[]): Promise<number[]> {
  const held: { port: number; release: () => Promise<void> }[] = [];
  try {
    for (const one of wanted) held.push(await hold(host, one));
    return held.map(({ port }) => port);
  } finally {
    await Promise.all(held.map(({ release }) => release()));
  }
}

async function hold(host: string, { variable, port: asked }: WantedPort) {
  const port = asked === 0 ? await freePort() : asked;
  return new Promise<{ port: number; release: () => Promise<void> }>((settle, fail) => {
    const probe = createServer();
    probe.once('error', (cause: NodeJS.ErrnoException) => {
      const reason = REASONS[cause.code ?? ''];
      const sentence =
        reason === undefined
          ? `${host} (HOST) with port ${asked} (${variable}) can't be listened on: ${sentenceOf(cause)}.`
          : `Port ${port} (${variable}) ${reason} on ${host}.`;
      fail(new TandemError('configuration', sentence, { cause }));
    });
    probe.listen({ host, port }, () =>
      settle({ port, release: () => new Promise((released) => probe.close(() => released())) }),
    );
  });
}
