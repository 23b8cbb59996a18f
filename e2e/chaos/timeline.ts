import { createWriteStream, type WriteStream } from 'node:fs';

/** What was done to the system and when, in the history's clock. */
export class Timeline {
  readonly #file: WriteStream;

  constructor(file: string) {
    this.#file = createWriteStream(file);
  }

  note(text: string): void {
    this.#file.write(`${performance.now().toFixed(1).padStart(10)}  ${text}\n`);
  }

  close(): Promise<void> {
    return new Promise((settle) => this.#file.end(settle));
  }
}
