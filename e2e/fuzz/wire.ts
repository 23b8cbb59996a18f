import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** An answer as it came over the connection. */
export interface WireAnswer {
  readonly status: number;
  /** By lower-case name; the last one of several. */
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

/** Nothing of this API takes as long. */
const ANSWER_TIMEOUT_MS = 30_000;

/**
 * One connection over which any bytes can be sent: an HTTP client would mend or refuse them. It reads
 * HTTP/1.1 answers one after the other.
 */
export class Wire {
  readonly #socket: Socket;
  #received: Buffer = Buffer.alloc(0);
  #ended = false;
  #arrived = Promise.withResolvers<void>();

  private constructor(socket: Socket) {
    this.#socket = socket;
    const told = () => {
      this.#arrived.resolve();
      this.#arrived = Promise.withResolvers();
    };
    socket.on('data', (bytes: Buffer) => {
      this.#received = this.#received.length === 0 ? bytes : Buffer.concat([this.#received, bytes]);
      told();
    });
    socket.on('error', () => {}); // a reset is seen as the end
    socket.once('close', () => {
      this.#ended = true;
      told();
    });
    socket.once('end', () => {
      this.#ended = true;
      told();
    });
  }

  static async open(origin: string): Promise<Wire> {
    const { hostname, port } = new URL(origin);
    const socket = connect(Number(port), hostname);
    await once(socket, 'connect');
    return new Wire(socket);
  }

  get isOpen(): boolean {
    return !this.#ended && this.#socket.writable;
  }

  send(bytes: Buffer): void {
    this.#socket.write(bytes);
  }

  /** Says that nothing more is sent; answers can still be read. */
  half(): void {
    this.#socket.end();
  }

  cut(): void {
    this.#socket.destroy();
    this.#ended = true;
  }

  /**
   * The next answer, interim ones (1xx) left out.
   * @param method of the request: an answer to `HEAD` has no body
   * @returns `undefined` when the connection ended before one began
   * @throws {Error} when it hangs, breaks off or is no HTTP
   */
  async answer(method: string): Promise<WireAnswer | undefined> {
    const deadline = AbortSignal.timeout(ANSWER_TIMEOUT_MS);
    for (;;) {
      const head = await this.#until(deadline, () => this.#head());
      if (head === undefined) {
        if (this.#received.length === 0) return undefined;
        throw new Error(
          `it broke off: ${JSON.stringify(this.#received.toString('latin1', 0, 80))}`,
        );
      }
      if (head.status < 200) continue;
      const bodiless = method === 'HEAD' || head.status === 204 || head.status === 304;
      if (bodiless) return { ...head, body: Buffer.alloc(0) };
      const body = await this.#until(deadline, () => this.#body(head.headers));
      if (body === undefined) throw new Error('the body broke off');
      return { ...head, body };
    }
  }

  async #until<T>(deadline: AbortSignal, read: () => T | undefined): Promise<T | undefined> {
    for (;;) {
      const found = read();
      if (found !== undefined || this.#ended) return found;
      if (deadline.aborted) throw new Error(`it hangs: nothing for ${ANSWER_TIMEOUT_MS} ms`);
      const late = Promise.withResolvers<void>();
      const abort = () => late.resolve();
      deadline.addEventListener('abort', abort, { once: true });
      await Promise.race([this.#arrived.promise, late.promise]);
      deadline.removeEventListener('abort', abort);
    }
  }

  #take(length: number): Buffer {
    const taken = this.#received.subarray(0, length);
    this.#received = this.#received.subarray(length);
    return taken;
  }

  #head(): Omit<WireAnswer, 'body'> | undefined {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const [first = '', ...lines] = this.#take(end + 4)
      .toString('latin1')
      .trimEnd()
      .split('\r\n');
    const [, status] = /^HTTP\/1\.[01] (\d{3})( |$)/.exec(first) ?? [];
    if (status === undefined) throw new Error(`it is no HTTP: ${JSON.stringify(first)}`);
    const headers = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    return { status: Number(status), headers };
  }

  #body(headers: WireAnswer['headers']): Buffer | undefined {
    if (headers.get('transfer-encoding') === 'chunked') return this.#chunked();
    const length = headers.get('content-length');
    if (length === undefined) return this.#ended ? this.#take(this.#received.length) : undefined;
    return this.#received.length < Number(length) ? undefined : this.#take(Number(length));
  }

  #chunked(): Buffer | undefined {
    const chunks: Buffer[] = [];
    for (let at = 0; ; ) {
      const line = this.#received.indexOf('\r\n', at);
      if (line === -1) return undefined;
      const size = Number.parseInt(this.#received.toString('latin1', at, line), 16);
      const end = line + 2 + size + 2;
      if (this.#received.length < end) return undefined;
      if (size === 0) {
        this.#take(end);
        return Buffer.concat(chunks);
      }
      chunks.push(this.#received.subarray(line + 2, line + 2 + size));
      at = end;
    }
  }
}
