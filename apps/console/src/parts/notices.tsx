import { signal } from '@preact/signals';

const SHOWN_MS = 8_000;

interface Notice {
  readonly id: number;
  readonly text: string;
}

const notices = signal<readonly Notice[]>([]);
let last = 0;

/** Says in the corner, and to screen readers, that something was done. */
export function say(text: string): void {
  last += 1;
  const id = last;
  notices.value = [...notices.value.slice(-3), { id, text }];
  setTimeout(() => dismiss(id), SHOWN_MS);
}

function dismiss(gone: number): void {
  notices.value = notices.value.filter(({ id }) => id !== gone);
}

export const Notices = () => (
  <div class="notices" role="status" aria-live="polite">
    {notices.value.map(({ id, text }) => (
      <p key={id}>
        <span>{text}</span>
        <button type="button" class="plain" aria-label="Dismiss" onClick={() => dismiss(id)}>
          ✕
        </button>
      </p>
    ))}
  </div>
);
