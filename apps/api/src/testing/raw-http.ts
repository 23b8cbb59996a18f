import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection over which bytes go as they are. */
export async function rawConnection(url: URL): Promise<Socket> {
  const socket = connect(Number(url.port), url.hostname);
  socket.on('error', () => {}); // a reset is seen as the end
  await once(socket, 'connect');
  return socket;
}

/** Everything that comes until the connection is closed. */
export function received(socket: Socket): Promise<string> {
  let text = '';
  socket.setEncoding('utf8').on('data', (piece) => {
    text += piece;
  });
  return new Promise((settle) => socket.once('close', () => settle(text)));
}

/** Sends raw bytes and reads until the server ends the connection. */
export async function rawExchange(
  url: URL,
  bytes: string | Buffer,
  { end = false } = {},
): Promise<string> {
  const socket = await rawConnection(url);
  const answer = received(socket);
  socket.write(bytes);
  if (end) socket.end();
  return answer;
}
