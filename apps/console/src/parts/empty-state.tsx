import type { ComponentChildren } from 'preact';

/** Stands where there is nothing to show, and says whether that is good. */
export function EmptyState({
  title,
  children,
  isGood = false,
}: {
  title: string;
  children?: ComponentChildren;
  isGood?: boolean;
}) {
  return (
    <div class="empty">
      <span aria-hidden="true" class={`shape ${isGood ? 'tone-good' : 'tone-quiet'}`}>
        {isGood ? '✓' : '○'}
      </span>
      <p class="empty-title">{title}</p>
      {children !== undefined && <p>{children}</p>}
    </div>
  );
}

/** Stands where something is on its way. */
export const Loading = ({ what }: { what: string }) => (
  <p class="loading" aria-busy="true">
    Reading {what} …
  </p>
);
