/** How far something long is, for people and scripts. */
export interface Progress {
  readonly done: number;
  readonly total: number;
  /** Records a second since it began. */
  readonly perSecond: number;
  /** `null` while there is no rate to tell it from. */
  readonly secondsLeft: number | null;
}

/** Pure. A source that grows meanwhile never makes `total` less than `done`. */
export function progressOf(done: number, total: number, elapsedMs: number): Progress {
  const perSecond = elapsedMs > 0 ? (done / elapsedMs) * 1_000 : 0;
  const rest = Math.max(0, total - done);
  return {
    done,
    total: Math.max(done, total),
    perSecond: Math.round(perSecond),
    secondsLeft: perSecond > 0 ? Math.ceil(rest / perSecond) : null,
  };
}

/** `120,000 of 1,000,000 (12 %), 80,000 a second, 11 s left`. */
export function describeProgress({ done, total, perSecond, secondsLeft }: Progress): string {
  const number = (value: number): string => value.toLocaleString('en');
  const percent = total === 0 ? 100 : Math.floor((done / total) * 100);
  const left = secondsLeft === null ? '' : `, ${number(secondsLeft)} s left`;
  return `${number(done)} of ${number(total)} (${percent} %), ${number(perSecond)} a second${left}`;
}
