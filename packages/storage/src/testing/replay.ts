import fc from 'fast-check';

/**
 * How a property runs: `TANDEM_SEED`, `TANDEM_PATH` and `TANDEM_REPLAY_PATH` replay what a failure
 * printed; `TANDEM_RUNS` makes a long campaign of it. A failure is reduced to a small one only when
 * `TANDEM_SHRINK=1`: with real files that takes minutes.
 */
export function propertyRuns<T>(usual: number): fc.Parameters<T> {
  const { TANDEM_SEED: seed, TANDEM_PATH: path, TANDEM_RUNS: runs } = process.env;
  return {
    numRuns: runs === undefined ? usual : Number(runs),
    ...(seed === undefined ? {} : { seed: Number(seed) }),
    ...(path === undefined ? {} : { path }),
    endOnFailure: process.env.TANDEM_SHRINK !== '1',
    // What is printed names the variables that replay it.
    reporter: (details) => {
      if (!details.failed) return;
      const shrunk = /replayPath="([^"]+)"/.exec(fc.stringify(details.counterexample))?.[1];
      const replay = [
        `TANDEM_SEED=${details.seed}`,
        `TANDEM_PATH=${details.counterexamplePath ?? ''}`,
        ...(shrunk === undefined ? [] : [`TANDEM_REPLAY_PATH=${shrunk}`]),
      ];
      const cause = details.errorInstance;
      throw new Error(
        `Replay with ${replay.join(' ')}\n${fc.stringify(details.counterexample)}\n${
          cause instanceof Error ? (cause.stack ?? cause.message) : fc.stringify(cause)
        }`,
      );
    },
  };
}

/** Options of `fc.commands` that replay a shrunk run. */
export function commandReplay(): { replayPath?: string } {
  const { TANDEM_REPLAY_PATH: replayPath } = process.env;
  return replayPath === undefined ? {} : { replayPath };
}

/** After how long a property test has hung; a campaign may take a day. */
export const propertyTimeoutMs = (): number =>
  process.env.TANDEM_RUNS === undefined ? 180_000 : 24 * 3_600_000;
