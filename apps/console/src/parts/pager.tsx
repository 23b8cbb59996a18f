import { useState } from 'preact/hooks';

/** Where in a list that is read page by page; each page names the next one. */
export interface Paging {
  /** Of the page that is shown; `null`: the first. */
  readonly cursor: string | null;
  readonly number: number;
  forward(next: string): void;
  back(): void;
}

/** @param of what is listed; the first page is shown again when it changes */
export function usePaging(of: string): Paging {
  const [{ list, cursors }, setState] = useState<{ list: string; cursors: readonly string[] }>({
    list: of,
    cursors: [],
  });
  const passed = list === of ? cursors : [];
  return {
    cursor: passed.at(-1) ?? null,
    number: passed.length + 1,
    forward: (next) => setState({ list: of, cursors: [...passed, next] }),
    back: () => setState({ list: of, cursors: passed.slice(0, -1) }),
  };
}

/** Leads to the pages before and after; nothing where there is but one. */
export function Pager({
  paging,
  next,
  what,
}: {
  paging: Paging;
  /** Of the page after the one that is shown; `null`: there is none. */
  next: string | null | undefined;
  /** What is paged, for who hears several of them. */
  what: string;
}) {
  const { number } = paging;
  if (number === 1 && (next === null || next === undefined)) return null;
  return (
    <nav class="pager" aria-label={`Pages of ${what}`}>
      <button
        type="button"
        class="secondary outline"
        disabled={number === 1}
        onClick={() => paging.back()}
      >
        ← Previous
      </button>
      <span>Page {number}</span>
      <button
        type="button"
        class="secondary outline"
        disabled={next === null || next === undefined}
        onClick={() => {
          if (typeof next === 'string') paging.forward(next);
        }}
      >
        Next →
      </button>
    </nav>
  );
}
