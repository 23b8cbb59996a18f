//   open ──▶ (preview) reason, confirmation ── confirm ──▶ busy ──▶ done: closed, a notice
//                          ▲                                 ├── refused: the problem, open still
//                          └── looked at again ── no more as it was shown (412)
import type { ComponentChildren } from 'preact';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { asProblem, type Problem } from '../api/problem.ts';
import { pollNow } from '../api/snapshot.ts';
import { say } from './notices.tsx';
import { ProblemNote } from './problem-note.tsx';

const REASON_LENGTH_MAX = 1_000;

export interface ActDialogProps {
  readonly title: string;
  /** On the button that does it, e.g. `Discard 12`. */
  readonly verb: string;
  /** Does it, and says what was done in one sentence. @throws {Problem} */
  readonly act: (reason: string) => Promise<string>;
  readonly close: () => void;
  /** To be typed before it can be done: for what has consequences. */
  readonly confirmation?: string | undefined;
  /** It can't be undone. */
  readonly isGrave?: boolean;
  /** Why it can't be done yet, e.g. while a preview is being read; it says so by itself. */
  readonly isBlocked?: boolean;
  /** Shows anew what would be done: offered where something else is there by now than was shown. */
  readonly lookAgain?: () => void;
  /** What would be done. */
  readonly children?: ComponentChildren;
}

/** RFC 9110: what the act was made dependent on does not hold any more. */
const PRECONDITION_FAILED = 412;

/** Asks for a reason, and a confirmation, before something is done; shows why it was refused. */
export function ActDialog(props: ActDialogProps) {
  const { title, verb, act, close, confirmation, isGrave, isBlocked, lookAgain, children } = props;
  const id = useId();
  const dialog = useRef<HTMLDialogElement>(null);
  const [reason, setReason] = useState('');
  const [typed, setTyped] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [problem, setProblem] = useState<Problem | null>(null);
  useModal(dialog);

  const isConfirmed = confirmation === undefined || typed.trim() === confirmation;
  const isOutdated = problem?.status === PRECONDITION_FAILED && lookAgain !== undefined;
  const mayAct =
    reason.trim() !== '' && isConfirmed && !isBusy && isBlocked !== true && !isOutdated;
  const showAnew = () => {
    setProblem(null);
    setTyped('');
    lookAgain?.();
  };
  const confirm = async (event: Event) => {
    event.preventDefault();
    if (!mayAct) return;
    setBusy(true);
    setProblem(null);
    try {
      say(await act(reason.trim()));
      pollNow();
      close();
    } catch (error) {
      setProblem(asProblem(error));
      setBusy(false);
    }
  };

  return (
    <dialog ref={dialog} aria-labelledby={`${id}-title`} onClose={close}>
      <form class="act" onSubmit={confirm}>
        <h2 id={`${id}-title`}>{title}</h2>
        <div class="act-body">
          {children}
          <label>
            Reason
            <textarea
              required
              rows={2}
              maxLength={REASON_LENGTH_MAX}
              value={reason}
              onInput={({ currentTarget }) => setReason(currentTarget.value)}
              aria-describedby={`${id}-reason`}
            />
            <small id={`${id}-reason`}>It is kept with your act, for who asks later.</small>
          </label>
          {confirmation !== undefined && (
            <label>
              <span>
                Type <code>{confirmation}</code> to confirm
              </span>
              <input
                type="text"
                autocomplete="off"
                spellcheck={false}
                value={typed}
                onInput={({ currentTarget }) => setTyped(currentTarget.value)}
              />
            </label>
          )}
          {problem !== null && (
            <ProblemNote
              problem={problem}
              retry={isOutdated ? showAnew : undefined}
              retryWords="Show what it would do now"
            />
          )}
        </div>
        <footer>
          <button type="button" class="secondary outline" onClick={() => dialog.current?.close()}>
            Cancel
          </button>
          <button
            type="submit"
            class={isGrave ? 'grave' : undefined}
            disabled={!mayAct}
            aria-busy={isBusy}
          >
            {verb}
          </button>
        </footer>
      </form>
    </dialog>
  );
}

/** Opens a dialog over all else as it appears; the browser gives the focus back when it closes. */
function useModal(dialog: { readonly current: HTMLDialogElement | null }): void {
  useEffect(() => {
    const { current } = dialog;
    current?.showModal();
    return () => current?.close();
  }, [dialog]);
}
