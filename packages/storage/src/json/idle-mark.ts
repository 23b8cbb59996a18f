//   a batch is durable ──> a pause, or too long without one ──> mark: the manifest knows how far the
//   journal goes. Behind the mark a tail that is cut off can't be told from one that never arrived.

/** Under steady load a mark is made this many pauses after the first batch that has none. */
const PAUSES_MAX = 5;

/** Asks for a durable mark once writes have paused, and now and then while they do not. */
export class IdleMark {
  readonly #pauseMs: number;
  readonly #mark: () => Promise<void>;
  #timer: NodeJS.Timeout | undefined;
  #firstAt = 0;
  #lastAt = 0;
  #ended = false;

  /** @param mark never rejects */
  constructor(pauseMs: number, mark: () => Promise<void>) {
    this.#pauseMs = pauseMs;
    this.#mark = mark;
  }

  /** A batch became durable just now. */
  touched(): void {
    if (this.#ended) return;
    this.#lastAt = performance.now();
    if (this.#timer !== undefined) return;
    this.#firstAt = this.#lastAt;
    this.#timer = this.#wait(this.#pauseMs);
  }

  #wait(milliseconds: number): NodeJS.Timeout {
    return setTimeout(() => {
      const due = Math.min(this.#lastAt, this.#firstAt + (PAUSES_MAX - 1) * this.#pauseMs);
      const left = due + this.#pauseMs - performance.now();
      this.#timer = left > 0 ? this.#wait(left) : undefined;
      if (left <= 0) void this.#mark();
    }, milliseconds).unref();
  }

  /** For good: a batch that is answered later asks for no mark, whose lock may be gone by then. */
  end(): void {
    this.#ended = true;
    clearTimeout(this.#timer);
  }
}
