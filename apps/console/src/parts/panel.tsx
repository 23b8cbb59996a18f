import type { ComponentChildren } from 'preact';
import { useId } from 'preact/hooks';

/** A part of a page with its heading, and what can be done with all of it. */
export function Panel({
  title,
  note,
  actions,
  children,
}: {
  title: string;
  /** Beside the heading, e.g. a badge. */
  note?: ComponentChildren;
  actions?: ComponentChildren;
  children: ComponentChildren;
}) {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <header>
        <h2 id={id}>{title}</h2>
        {note}
        {actions !== undefined && <div class="actions">{actions}</div>}
      </header>
      {children}
    </section>
  );
}
