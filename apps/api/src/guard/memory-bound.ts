import { totalmem } from 'node:os';
import { getHeapStatistics } from 'node:v8';
import type { Log } from '@tandem/storage/log';

/** Of the memory that the machine or its container gives, what the process may use. */
const MEMORY_SHARE_MAX = 0.8;
/** Of the heap that V8 may grow to, what may be in use: a full one ends the process. */
const HEAP_SHARE_MAX = 0.9;
/** It has to fall a little below the bound, so that it does not go on and off. */
const RELEASE_SHARE = 0.95;
const LOOK_INTERVAL_MS = 250;

/** Bytes: of V8's heap alone, and with the buffers outside of it. */
interface MemoryUse {
  readonly heap: number;
  readonly all: number;
}

/** Whether requests are refused, as they were or were not so far. */
export function isBeyond(use: MemoryUse, limits: MemoryUse, wasBeyond: boolean): boolean {
  const share = Math.max(use.heap / limits.heap, use.all / limits.all);
  return share > (wasBeyond ? RELEASE_SHARE : 1);
}

/**
 * Says when the process uses more memory than it should: then requests of the records are refused
 * until it does not, so that it keeps what it acknowledged and goes on answering operators and probes.
 * What counts is what is in use; the memory that the allocator keeps for later would never fall again.
 */
export class MemoryBound {
  /** Read in every request: a plain property. */
  isOver = false;
  readonly #limitBytes: number;
  readonly #log: Log;
  #timer: NodeJS.Timeout | undefined;

  /** @param limitBytes `MEMORY_LIMIT`; a share of what the machine gives if it is not set */
  constructor(limitBytes: number | undefined, log: Log) {
    const given = Math.min(process.constrainedMemory() || totalmem(), totalmem());
    this.#limitBytes = limitBytes ?? given * MEMORY_SHARE_MAX;
    this.#log = log;
  }

  start(): void {
    this.#look();
    this.#timer = setInterval(() => this.#look(), LOOK_INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  #look(): void {
    const {
      used_heap_size: heap,
      external_memory: external,
      heap_size_limit,
    } = getHeapStatistics();
    const use = { heap, all: heap + external };
    const limits = { heap: heap_size_limit * HEAP_SHARE_MAX, all: this.#limitBytes };
    const isOver = isBeyond(use, limits, this.isOver);
    if (isOver === this.isOver) return;
    this.isOver = isOver;
    const facts = { usedBytes: use, limitBytes: limits };
    if (isOver) this.#log.warn(facts, 'Memory is short: requests of the records are refused.');
    else this.#log.info(facts, 'There is memory again: requests of the records are served.');
  }
}
