import type { CatchUpStatus } from '@tandem/storage/consistency';
import type { Phase } from '@tandem/storage/phase';

/** `unused`: the present phase does not need it. */
type DependencyStatus = 'up' | 'down' | 'degraded' | 'unused';

/** One thing this process depends on; `detail` is a sentence for a person, without secrets. */
export interface Dependency {
  readonly status: DependencyStatus;
  readonly detail?: string;
}

/**
 * What `/readyz` reports. `ready` says whether the primary serves, nothing else: a failing secondary,
 * queue or relay is `degraded`, because it fails no request (I5).
 */
export interface Readiness {
  readonly ready: boolean;
  readonly status: 'ok' | 'degraded' | 'unready';
  readonly phase: {
    readonly desired: Phase;
    readonly effective: Phase;
    readonly epoch: number;
    /** What the move from the effective to the desired phase waits for, as a sentence. */
    readonly waitingFor?: string;
    /** While the emergency brake stands: what JSON may lack, as a sentence. */
    readonly brake?: string;
  };
  /** By name, e.g. `json`, `postgres`, `queue`, `relay`. */
  readonly dependencies: Readonly<Record<string, Dependency>>;
  /** Changes that the secondary has not applied yet, where that is known. */
  readonly backlog?: number;
  /** While the secondary is brought up to date by difference. */
  readonly catchUp?: CatchUpStatus;
}
