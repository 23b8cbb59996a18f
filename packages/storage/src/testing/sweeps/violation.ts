/** The store did what it must never do. */
export class Violation extends Error {
  override readonly name = 'Violation';
}

const CONTEXT_CHARACTERS = 120;

/** Says where a found text leaves each of those that were allowed. */
export function differenceOf(found: string, allowed: readonly string[]): string {
  const lines = allowed.map((text) => {
    let at = 0;
    while (at < text.length && text[at] === found[at]) at++;
    const part = (one: string): string => one.slice(Math.max(0, at - 40), at + CONTEXT_CHARACTERS);
    return `\n  at ${at}: …${part(found)}…\n  instead of …${part(text)}…`;
  });
  return `Recovered to none of ${allowed.length} states:${lines.join('')}`;
}
