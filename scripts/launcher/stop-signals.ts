/** Signals closer together than this are one wish: a terminal, npm and the wrapper each deliver it. */
const ONE_WISH_MS = 2_000;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

export interface StopSignals {
  /** Aborts at the first signal, with its name as the reason. */
  readonly stop: AbortSignal;
  /** Resolves at a later signal that is a wish of its own: end everything at once. */
  readonly force: Promise<void>;
  /** Asks to stop as a signal would. */
  request(reason: string): void;
}

/** Takes over the signals that end a process. */
export function listenForStop(now: () => number = () => performance.now()): StopSignals {
  const controller = new AbortController();
  const { promise: force, resolve: forceNow } = Promise.withResolvers<void>();
  let firstAt: number | undefined;
  const request = (reason: string) => {
    if (firstAt === undefined) {
      firstAt = now();
      controller.abort(reason);
    } else if (now() - firstAt > ONE_WISH_MS) {
      forceNow();
    }
  };
  for (const signal of SIGNALS) process.on(signal, () => request(signal));
  return { stop: controller.signal, force, request };
}
