import type { ComponentChildren } from 'preact';

export type Tone = 'good' | 'warn' | 'bad' | 'info' | 'quiet';

/** A shape for each tone: nothing is said by colour alone. */
const SHAPES: Readonly<Record<Tone, string>> = {
  good: '✓',
  warn: '▲',
  bad: '✕',
  info: '●',
  quiet: '○',
};

/** A word or two about a state. */
export function Badge({ tone, children }: { tone: Tone; children: ComponentChildren }) {
  return (
    <span class={`badge tone-${tone}`}>
      <span aria-hidden="true" class="shape">
        {SHAPES[tone]}
      </span>
      {children}
    </span>
  );
}
