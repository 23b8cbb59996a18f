/** Whatever has to be stopped at the end, in the opposite order, also after a failure. */
export class Running {
  readonly #stops: (() => Promise<unknown>)[] = [];

  async of<T extends { stop(): Promise<unknown> }>(starting: Promise<T>): Promise<T> {
    const one = await starting;
    this.#stops.push(() => one.stop());
    return one;
  }

  async stop(): Promise<void> {
    for (const stop of this.#stops.reverse()) await stop();
  }
}

/** Runs with things that are stopped when it has ended, however it ended. */
export async function withRunning<T>(run: (running: Running) => Promise<T>): Promise<T> {
  const running = new Running();
  try {
    return await run(running);
  } finally {
    await running.stop();
  }
}
