import type { ComponentChildren } from 'preact';
import type { Tone } from './badge.tsx';

/** One number that matters, with what it is and what to think of it. */
export function FigureCard({
  name,
  value,
  tone = 'quiet',
  children,
  href,
}: {
  name: string;
  value: ComponentChildren;
  tone?: Tone;
  /** A few words below the number. */
  children?: ComponentChildren;
  /** Where more is said about it. */
  href?: string;
}) {
  return (
    <div class={`figure-card tone-${tone}`}>
      <p class="figure-name">{href === undefined ? name : <a href={href}>{name}</a>}</p>
      <p class="figure-value">{value}</p>
      {children !== undefined && <p class="figure-note">{children}</p>}
    </div>
  );
}
