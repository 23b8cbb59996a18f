import type { Fault, SimulatedOperation } from '../simulated-file-system.ts';

type Kind = SimulatedOperation['kind'];

const CHANGES: readonly Kind[] = [
  ...(['create', 'write', 'fdatasync', 'fsync', 'truncate'] as const),
  ...(['rename', 'unlink', 'mkdir', 'sync-directory'] as const),
];
const OPENS: readonly Kind[] = ['open', 'create', 'readdir', 'lock', 'sync-directory'];
const GROWS: readonly Kind[] = ['create', 'write', 'rename', 'mkdir'];
const SYNCS: readonly Kind[] = ['fdatasync', 'fsync'];

/** One way for calls to fail: which of them, and how. `undefined` in `on`: every call. */
interface FaultKind {
  readonly on: readonly Kind[] | undefined;
  /** @param first whether it is the first call that fails */
  faultOf(kind: Kind, first: boolean): Fault;
}

/** Every kind of fault that the sweep injects, by the name that a replay is given. */
export const FAULT_KINDS: Readonly<Record<string, FaultKind>> = {
  EIO: { on: undefined, faultOf: () => ({ code: 'EIO', effect: 'before' }) },
  'EIO-although-done': { on: CHANGES, faultOf: () => ({ code: 'EIO', effect: 'after' }) },
  ENOSPC: {
    on: GROWS,
    // A disk that fills up takes a part, and then nothing.
    faultOf: (kind, first) => ({
      code: 'ENOSPC',
      effect: kind === 'write' && first ? 'short' : 'before',
    }),
  },
  'ENOSPC-at-once': { on: GROWS, faultOf: () => ({ code: 'ENOSPC', effect: 'before' }) },
  'short-write': { on: ['write'], faultOf: () => ({ code: 'ENOSPC', effect: 'short' }) },
  'failed-sync': { on: SYNCS, faultOf: () => ({ code: 'EIO', effect: 'drop' }) },
  'failed-sync-evicted': { on: SYNCS, faultOf: () => ({ code: 'EIO', effect: 'evict' }) },
  EMFILE: { on: OPENS, faultOf: () => ({ code: 'EMFILE', effect: 'before' }) },
};

/** Makes the nth call that a kind concerns fail: alone, or with all after it until `lift`. */
export class FaultPlan {
  readonly #kind: FaultKind;
  readonly #at: number;
  readonly #sticky: boolean;
  #seen = 0;
  #armed = false;
  #lifted = false;
  /** Calls that failed. */
  injected = 0;

  constructor(name: string, at: number, sticky: boolean) {
    const kind = FAULT_KINDS[name];
    if (kind === undefined) throw new Error(`There is no fault "${name}".`);
    this.#kind = kind;
    this.#at = at;
    this.#sticky = sticky;
  }

  arm(): void {
    this.#armed = true;
  }

  lift(): void {
    if (this.injected > 0) this.#lifted = true;
  }

  faultOf({ kind }: SimulatedOperation): Fault | undefined {
    if (!this.#armed || this.#lifted) return undefined;
    if (this.#kind.on !== undefined && !this.#kind.on.includes(kind)) return undefined;
    const number = this.#seen++;
    if (number < this.#at || (number > this.#at && !this.#sticky)) return undefined;
    return this.#kind.faultOf(kind, this.injected++ === 0);
  }
}
