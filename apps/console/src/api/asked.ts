import { useEffect, useState } from 'preact/hooks';
import { asProblem, type Problem } from './problem.ts';

/** Something that is asked once, e.g. what an act would do. */
export type Asked<T> =
  | { readonly state: 'asking' }
  | { readonly state: 'answered'; readonly answer: T }
  | { readonly state: 'refused'; readonly problem: Problem };

/** @param key asks anew when it changes: it stands for all that `ask` sends; @param ask is aborted when nobody waits any more */
export function useAsked<T>(key: string, ask: (signal: AbortSignal) => Promise<T>): Asked<T> {
  const [asked, setAsked] = useState<Asked<T>>({ state: 'asking' });
  useEffect(() => {
    const gone = new AbortController();
    setAsked({ state: 'asking' });
    ask(gone.signal).then(
      (answer) => {
        if (!gone.signal.aborted) setAsked({ state: 'answered', answer });
      },
      (error: unknown) => {
        if (!gone.signal.aborted) setAsked({ state: 'refused', problem: asProblem(error) });
      },
    );
    return () => gone.abort();
  }, [key]);
  return asked;
}
