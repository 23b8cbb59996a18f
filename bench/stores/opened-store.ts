import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Answer, Request } from './store-process.ts';

const PROGRAM = join(import.meta.dirname, 'store-process.ts');

/** A store that is open in a process of its own. */
export class OpenedStore {
  readonly #child: ChildProcess;
  /** How long the process took to open it. */
  readonly openedMs: number;
  readonly rssBytes: number;
  /** The event loop's longest delay while it began to follow; 0 where it did not. */
  readonly followingDelayMs: number;

  private constructor(child: ChildProcess, { openedMs, rssBytes, followingDelayMs = 0 }: Answer) {
    if (openedMs === undefined) throw new Error('The process opened nothing.');
    this.#child = child;
    this.openedMs = openedMs;
    this.rssBytes = rssBytes;
    this.followingDelayMs = followingDelayMs;
  }

  /** @param warmth `warm`: the process follows the store before it opens it */
  static async open(directory: string, warmth: 'cold' | 'warm' = 'cold'): Promise<OpenedStore> {
    const child = fork(PROGRAM, [directory, warmth]);
    return new OpenedStore(child, await answerOf(child));
  }

  async ask(request: Request): Promise<Answer> {
    const answer = answerOf(this.#child);
    this.#child.send(request);
    return answer;
  }

  async close(): Promise<void> {
    const ended = once(this.#child, 'exit');
    await this.ask({ kind: 'close' });
    await ended;
  }
}

/** The next message of the process; its end, without one, is an error. */
async function answerOf(child: ChildProcess): Promise<Answer> {
  const ending = new AbortController();
  const { signal } = ending;
  try {
    const [answer] = await Promise.race([
      once(child, 'message', { signal }),
      once(child, 'exit', { signal }).then(([code]) => {
        throw new Error(`A process of the bench ended with ${code}.`);
      }),
    ]);
    return answer;
  } finally {
    ending.abort();
  }
}
