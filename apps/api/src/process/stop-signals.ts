/**
 * Resolves with a word for what asked this process to stop: SIGINT, SIGTERM, or the end of standard
 * input when `TANDEM_LIFELINE=1` says that a parent holds it open (a killed parent leaves no orphan).
 * Later signals of the same stop are ignored; the deadline of the stop itself bounds it.
 */
export function stopRequested(): Promise<string> {
  return new Promise((settle) => {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) {
      process.on(signal, () => settle(signal));
    }
    if (process.env.TANDEM_LIFELINE !== '1') return;
    process.stdin.on('end', () => settle('the end of the launcher'));
    process.stdin.on('error', () => settle('the end of the launcher'));
    process.stdin.resume();
  });
}
