import type { Phase } from '@tandem/storage/phase';

const PROBE_TIMEOUT_MS = 2_000;

/** What an api says of itself at `/readyz`. */
export interface Readiness {
  readonly isReady: boolean;
  readonly status: string;
  readonly phase?: {
    readonly desired: Phase;
    readonly effective: Phase;
    readonly waitingFor?: string;
  };
  readonly backlog?: number;
  readonly catchUp?: unknown;
  readonly dependencies?: { readonly primary?: { readonly detail?: string } };
}

/** `undefined` while it does not answer. */
export async function readinessAt(origin: string): Promise<Readiness | undefined> {
  try {
    const signal = AbortSignal.timeout(PROBE_TIMEOUT_MS);
    const answer = await fetch(`${origin}/readyz`, { signal });
    const told = (await answer.json()) as Omit<Readiness, 'isReady'>;
    return { ...told, isReady: answer.status === 200 };
  } catch {
    return undefined;
  }
}

/** It is well, and another api has the JSON store. */
export const standsBy = ({ isReady, dependencies }: Readiness): boolean =>
  !isReady && /is held by api/.test(dependencies?.primary?.detail ?? '');
