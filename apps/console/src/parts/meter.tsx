import { count, duration } from '../format.ts';

/** How far something is that knows its end. */
export function Meter({
  label,
  done,
  total,
  perSecond,
  secondsLeft,
}: {
  label: string;
  done: number;
  total: number;
  perSecond: number;
  secondsLeft: number | null;
}) {
  const share = total === 0 ? 1 : done / total;
  return (
    <div class="meter">
      <progress value={done} max={Math.max(1, total)} aria-label={label} />
      <p>
        {count(done)} of {count(total)} ({Math.floor(share * 100)} %), {count(perSecond)} a second
        {secondsLeft !== null && `, about ${duration(secondsLeft * 1_000)} left`}
      </p>
    </div>
  );
}
