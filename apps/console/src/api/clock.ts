import { signal } from '@preact/signals';

const TICK_MS = 1_000;

/** ms since 1970, moved every second: what is relative to now follows it. */
export const now = signal(Date.now());

export function startClock(): void {
  setInterval(() => {
    now.value = Date.now();
  }, TICK_MS);
}
