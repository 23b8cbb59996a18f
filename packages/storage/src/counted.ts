/** `1 change`, `2 changes`: how a sentence counts. */
export const counted = (count: number, one: string, many = `${one}s`): string =>
  `${count} ${count === 1 ? one : many}`;

/** `1 change waits`, `2 changes wait`. */
export const waiting = (count: number): string =>
  `${counted(count, 'change')} ${count === 1 ? 'waits' : 'wait'}`;
