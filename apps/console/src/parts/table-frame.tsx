import type { ComponentChildren } from 'preact';

/** What scrolls sideways by itself where there is no room; it can be reached by keyboard for that. */
export function TableFrame({
  caption,
  children,
}: {
  caption: string;
  children: ComponentChildren;
}) {
  return (
    // biome-ignore lint/a11y/useSemanticElements: a fieldset is a group of controls
    // biome-ignore lint/a11y/noNoninteractiveTabindex: see above
    <div class="table-frame" role="group" aria-label={caption} tabIndex={0}>
      {children}
    </div>
  );
}
