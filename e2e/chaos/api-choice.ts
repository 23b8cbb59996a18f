import { pickOf } from '@tandem/storage/testing';

/** Where an api process takes requests. */
export interface Door {
  /** Of the process. */
  readonly name: string;
  readonly origin: string;
}

/** How often a client goes to another api than the one that served it. */
const ASTRAY_SHARE = 0.1;
/** How often it asks another one again what it was not told. */
const ELSEWHERE_SHARE = 0.7;

/**
 * One client's way among the api processes: it stays with the one that served it, as behind a balancer
 * that follows readiness, leaves one that refused it, and goes astray now and then.
 */
export class ApiChoice {
  readonly #doors: readonly Door[];
  readonly #random: () => number;
  #at: Door;

  constructor(doors: readonly Door[], random: () => number) {
    this.#doors = doors;
    this.#random = random;
    this.#at = pickOf(random, doors);
  }

  next(): Door {
    return this.#unless(ASTRAY_SHARE);
  }

  /** For what was asked already. */
  again(): Door {
    return this.#unless(ELSEWHERE_SHARE);
  }

  /** @param served whether it gave an answer; a `404` is one */
  told(door: Door, served: boolean): void {
    this.#at = served ? door : this.#other(door);
  }

  #unless(share: number): Door {
    const goesAway = this.#doors.length > 1 && this.#random() < share;
    return goesAway ? this.#other(this.#at) : this.#at;
  }

  #other(door: Door): Door {
    const others = this.#doors.filter((one) => one !== door);
    return others.length === 0 ? door : pickOf(this.#random, others);
  }
}
