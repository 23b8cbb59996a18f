import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import type { SteadyRequest } from './steady-writer.ts';
import type { Written } from './written.ts';

const PROGRAM = join(import.meta.dirname, 'steady-writer.ts');

/** 300 writes a second over HTTP, from a process of their own. */
export class SteadyWrites {
  readonly #child: ChildProcess;

  /** @param records ids 1 to this many are changed */
  constructor(origin: string, records: number) {
    this.#child = fork(PROGRAM, [origin, String(records)]);
  }

  /** Writes beside something. @throws what that threw; when a write was refused */
  async beside(work: () => Promise<unknown>): Promise<Written> {
    this.#tell('begin');
    const failed = once(this.#child, 'exit').then(([code]) => {
      throw new Error(`The writer ended with ${code}.`);
    });
    failed.catch(() => undefined);
    await Promise.race([work(), failed]);
    const answer = once(this.#child, 'message');
    this.#tell('end');
    const [written] = await Promise.race([answer, failed]);
    return written;
  }

  stop(): void {
    this.#child.disconnect();
  }

  #tell(request: SteadyRequest): void {
    this.#child.send(request);
  }
}
