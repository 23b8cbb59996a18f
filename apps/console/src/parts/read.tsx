import type { ComponentChildren } from 'preact';
import type { Resource } from '../api/resource.ts';
import { Loading } from './empty-state.tsx';
import { ProblemNote } from './problem-note.tsx';

/** What a resource has: on its way, failed (what was read before stays below), or there. */
export function Read<T>({
  of: { value, problem, reload },
  what,
  children,
}: {
  of: Resource<T>;
  /** Behind “Reading …”. */
  what: string;
  children: (value: T) => ComponentChildren;
}) {
  return (
    <>
      {problem !== null && <ProblemNote problem={problem} retry={reload} />}
      {value === undefined ? problem === null && <Loading what={what} /> : children(value)}
    </>
  );
}
