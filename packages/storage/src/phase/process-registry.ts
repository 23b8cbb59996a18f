import type { CatchUpStatus } from '../consistency/index.ts';
import type { ShadowReadEnd } from '../observer.ts';
import { FLAG_NAMES, type FlagName, type ResolvedFlags } from './flags.ts';
import type { Phase } from './phases.ts';

export type ProcessKind = 'api' | 'worker';

/** What a process has done since it began. */
export interface ProcessWork {
  /** Changes that the primary acknowledged. */
  readonly written: number;
  /** Changes that are on the secondary. */
  readonly applied: number;
  /** Attempts to apply one. */
  readonly failed: number;
  /** The longest way of a change to the secondary within the last seconds; `null`: none arrived. */
  readonly lagMs: number | null;
  readonly shadowReads: Readonly<Record<ShadowReadEnd, number>>;
}

/** What a process says of itself. */
export interface ProcessFacts {
  /** The phase it works in; `null` before it knows. */
  readonly effective: Phase | null;
  readonly epoch: number | null;
  readonly desired: Phase;
  /** The flags with their sources, as this process resolves them. */
  readonly flags: ResolvedFlags['flags'];
  readonly ready: boolean;
  /** One sentence, when the effective phase is not the desired one, or a store, its disk or the way to it
   *  fails. */
  readonly waitingFor: string | null;
  /** How far the catch-up is that it runs; `null` while it runs none. */
  readonly catchUp: CatchUpStatus | null;
  /** `null` where nobody counts. */
  readonly work: ProcessWork | null;
}

/** A process that has been heard of lately. */
export interface LiveProcess extends ProcessFacts {
  readonly id: string;
  readonly kind: ProcessKind;
  readonly pid: number;
  readonly host: string;
  /** ISO instants. */
  readonly startedAt: string;
  readonly seenAt: string;
}

/** Port: who runs, implemented in `postgres/`. */
export interface Processes {
  /**
   * Those heard of within the last 15 s, api before worker, oldest first.
   * @throws {TandemError} `unavailable`, `storage-failed`
   */
  live(): Promise<readonly LiveProcess[]>;
}

/** E.g. `api 4711 on web-1`. */
export const nameOf = ({ kind, pid, host }: Pick<LiveProcess, 'kind' | 'pid' | 'host'>): string =>
  `${kind} ${pid} on ${host}`;

/**
 * Names the processes whose environments lock the flags differently, in one sentence; `null` when
 * none do. No switch starts while they disagree: each would hold another phase for the desired one.
 */
export function disagreement(processes: readonly LiveProcess[]): string | null {
  const parts = FLAG_NAMES.map((name) => disagreementOver(name, processes)).filter(
    (part) => part !== null,
  );
  return parts.length === 0
    ? null
    : `The environments disagree, so no switch starts: ${parts.join('; ')}.`;
}

function disagreementOver(name: FlagName, processes: readonly LiveProcess[]): string | null {
  const bySetting = new Map<string, string[]>();
  for (const process of processes) {
    const { source, value } = process.flags[name];
    const setting = source === 'environment' ? String(value) : 'not set';
    bySetting.set(setting, [...(bySetting.get(setting) ?? []), nameOf(process)]);
  }
  if (bySetting.size < 2) return null;
  const told = [...bySetting].map(([setting, names]) => `${setting} in ${names.join(', ')}`);
  return `FF_${name} is ${told.join(' and ')}`;
}

/**
 * What keeps a process from working as it should in the phase that is asked for, a sentence each. That a
 * phase is still to be reached, or a store to be brought up to date, is told elsewhere.
 */
export const troublesOf = (processes: readonly LiveProcess[]): string[] =>
  processes.flatMap((one) => {
    const { waitingFor, effective, desired, catchUp } = one;
    if (waitingFor === null || effective !== desired || catchUp !== null) return [];
    return [`${nameOf(one)} waits for ${waitingFor}`];
  });

/**
 * Which process's belief stands for the installation: an api before a worker, of those the one that
 * knows the highest epoch, then the one heard of last. `undefined` without any.
 */
export function spokesman(processes: readonly LiveProcess[]): LiveProcess | undefined {
  const rank = (a: LiveProcess, b: LiveProcess): number =>
    Number(a.kind === 'worker') - Number(b.kind === 'worker') ||
    (b.epoch ?? -1) - (a.epoch ?? -1) ||
    b.seenAt.localeCompare(a.seenAt);
  return [...processes].sort(rank)[0];
}
