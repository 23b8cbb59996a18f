import type { Socket } from 'node:net';

/** Writes to a socket, each time some while after it was told to, in order. */
export class DelayedWriter {
  readonly #socket: Socket;
  readonly #delayMs: () => number;
  readonly #waiting: Buffer[] = [];
  #dueMs = 0;

  constructor(socket: Socket, delayMs: () => number) {
    this.#socket = socket;
    this.#delayMs = delayMs;
  }

  write(data: Buffer): void {
    const nowMs = performance.now();
    this.#dueMs = Math.max(this.#dueMs, nowMs + this.#delayMs());
    if (this.#dueMs <= nowMs) {
      this.#socket.write(data);
      return;
    }
    this.#waiting.push(data);
    // Whatever timer comes first writes what came first.
    setTimeout(() => this.#next(), this.#dueMs - nowMs);
  }

  #next(): void {
    const data = this.#waiting.shift();
    if (data !== undefined && this.#socket.writable) this.#socket.write(data);
  }
}
