import { VERIFY_CLASSES, type VerifyClass } from './verify-class.ts';
import type { VerifyDifference, VerifyOutcome } from './verify-run.ts';

/** Differences kept with both texts; beyond it they are only counted. */
const LISTED_MAX = 100;

/** Counts every difference, and keeps the first; those in flight only while there is room. */
export class FoundDifferences {
  readonly #counts = Object.fromEntries(VERIFY_CLASSES.map((name) => [name, 0])) as Record<
    VerifyClass,
    number
  >;
  readonly #lasting: VerifyDifference[] = [];
  readonly #passing: VerifyDifference[] = [];
  #isStuck = false;
  /** Records, not keys, that differ for good. */
  failingRecords = 0;

  get counts(): Readonly<Record<VerifyClass, number>> {
    return { ...this.#counts };
  }

  get listed(): readonly VerifyDifference[] {
    return [...this.#lasting, ...this.#passing].slice(0, LISTED_MAX);
  }

  get outcome(): VerifyOutcome {
    const lasting = VERIFY_CLASSES.some((name) => name !== 'in-flight' && this.#counts[name] > 0);
    if (lasting) return 'differences';
    return this.#isStuck ? 'inconclusive' : 'clean';
  }

  /** @param moved it changed during the run, so it is among what came after the watermark */
  addInFlight(difference: Omit<VerifyDifference, 'class'>, moved: boolean): void {
    if (!moved) this.#isStuck = true;
    this.add({ ...difference, class: 'in-flight' });
  }

  add(difference: VerifyDifference): void {
    this.#counts[difference.class] += 1;
    if (difference.class !== 'in-flight' && !('key' in difference.subject))
      this.failingRecords += 1;
    const kept = difference.class === 'in-flight' ? this.#passing : this.#lasting;
    if (kept.length < LISTED_MAX) kept.push(difference);
  }
}
