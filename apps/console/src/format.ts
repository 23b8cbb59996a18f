const COUNT = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });
const RATE = new Intl.NumberFormat('en', { maximumFractionDigits: 1 });
const EXACT = new Intl.DateTimeFormat('en', { dateStyle: 'medium', timeStyle: 'medium' });
const MINUTE = new Intl.DateTimeFormat('en-GB', { timeStyle: 'short' });
const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' });

/** `12,345`; a dash for what is not known. */
export const count = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : COUNT.format(value);

/** With one decimal at most. */
export const decimal = (value: number | null | undefined): string =>
  value === null || value === undefined ? '–' : RATE.format(value);

/** `1 change`, `2 changes`. */
export const counted = (value: number, one: string, many = `${one}s`): string =>
  `${count(value)} ${value === 1 ? one : many}`;

/** A share from 0 to 1; never rounded up to all of it. */
export function percent(share: number): string {
  if (share >= 1) return '100 %';
  return `${RATE.format(Math.floor(share * 1_000) / 10)} %`;
}

/** A span of ms as a person says it: `85 ms`, `2.5 s`, `4 min`, `3 h`. */
export function duration(ms: number): string {
  if (ms < 1_000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1_000;
  if (seconds < 10) return `${RATE.format(seconds)} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  const minutes = seconds / 60;
  if (minutes < 90) return `${Math.round(minutes)} min`;
  const hours = minutes / 60;
  return hours < 48 ? `${Math.round(hours)} h` : `${Math.round(hours / 24)} d`;
}

/** `just now`, `40 s ago`, `in 5 min`. */
export function relative(ageMs: number): string {
  if (ageMs > -1_000 && ageMs < 2_000) return 'just now';
  const whole = Math.round(Math.abs(ageMs) / 1_000) * 1_000;
  return ageMs < 0 ? `in ${duration(whole)}` : `${duration(whole)} ago`;
}

/** Date and time of this browser's place. */
export const exactTime = (atMs: number): string => EXACT.format(atMs);

/** `14:03:59` */
export const clockTime = (atMs: number): string => CLOCK.format(atMs);

/** `14:03` */
export const minuteTime = (atMs: number): string => MINUTE.format(atMs);
