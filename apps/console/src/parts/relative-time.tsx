import { now } from '../api/clock.ts';
import { exactTime, relative } from '../format.ts';

/** An instant as seen from now, kept up to date; the exact one on hover and for machines. */
export function RelativeTime({ at }: { at: string }) {
  const atMs = Date.parse(at);
  return (
    <time dateTime={at} title={exactTime(atMs)}>
      {relative(now.value - atMs)}
    </time>
  );
}
