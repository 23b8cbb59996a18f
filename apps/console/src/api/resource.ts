import { useEffect, useRef, useState } from 'preact/hooks';
import { type Answer, ask } from './client.ts';
import { asProblem, type Problem } from './problem.ts';

/** A page that nobody sees reads nothing; it looks this often whether somebody does. */
const HIDDEN_LOOK_MS = 1_000;

export interface Resource<T> {
  /** As last read; it stays while it is read again and while that fails. */
  readonly value: T | undefined;
  /** Why the last read failed. */
  readonly problem: Problem | null;
  readonly isLoading: boolean;
  reload(): void;
}

export interface ResourceOptions {
  /** Reads again every so many ms while the page is visible. */
  readonly everyMs?: number;
}

interface State<T> {
  readonly path: string | null;
  readonly answer: Answer<T> | undefined;
  readonly problem: Problem | null;
}

/**
 * What the operators' API has at a path, for a component: read at once, when the path changes, and as
 * often as the options say. `null` reads nothing.
 */
export function useResource<T>(
  path: string | null,
  { everyMs }: ResourceOptions = {},
): Resource<T> {
  const [state, setState] = useState<State<T>>({ path, answer: undefined, problem: null });
  const [round, setRound] = useState(0);
  const [isLoading, setLoading] = useState(false);
  const etag = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (path === null) return;
    const stopped = new AbortController();
    const { signal } = stopped;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const known = state.path === path ? state.answer : undefined;
    etag.current = known?.etag;
    const read = async (): Promise<void> => {
      if (document.hidden) {
        timer = setTimeout(read, HIDDEN_LOOK_MS);
        return;
      }
      setLoading(true);
      try {
        const answer = await ask<T>('GET', path, { signal, etag: etag.current });
        etag.current = answer.etag;
        setState((last) => ({
          path,
          answer: answer.value === undefined ? last.answer : answer,
          problem: null,
        }));
      } catch (error) {
        if (signal.aborted) return;
        const problem = asProblem(error);
        setState((last) => ({
          path,
          answer: last.path === path ? last.answer : undefined,
          problem,
        }));
      }
      if (signal.aborted) return;
      setLoading(false);
      if (everyMs !== undefined) timer = setTimeout(read, everyMs);
    };
    void read();
    return () => {
      stopped.abort();
      clearTimeout(timer);
    };
  }, [path, everyMs, round]);
  const isOfPath = state.path === path;
  return {
    value: isOfPath ? state.answer?.value : undefined,
    problem: isOfPath ? state.problem : null,
    isLoading,
    reload: () => setRound((last) => last + 1),
  };
}
