import type { Change, Item } from '../changes/index.ts';
import type { ApplyResult, Store } from '../store.ts';

/** Bounds of one batch: PostgreSQL's is one COPY, the JSON store's one turn of the event loop. */
const BATCH_ITEMS: Readonly<Record<Store['name'], number>> = { postgres: 10_000, json: 1_000 };
const BATCH_CHARACTERS_MAX = 4_000_000;
/** While one batch is being stored the next one is made ready; a third would only wait. */
const BATCHES_UNDER_WAY = 2;

/** Applies changes in batches, some of them under way at a time. */
export class ApplyWindow {
  readonly #target: Pick<Store, 'apply' | 'name'>;
  readonly #settle: (changes: readonly Change[], results: readonly ApplyResult[]) => Promise<void>;
  #batch: Change[] = [];
  #characters = 0;
  readonly #underWay: Promise<void>[] = [];

  constructor(
    target: Pick<Store, 'apply' | 'name'>,
    settle: (changes: readonly Change[], results: readonly ApplyResult[]) => Promise<void>,
  ) {
    this.#target = target;
    this.#settle = settle;
  }

  add(change: Change): void {
    this.#batch.push(change);
    this.#characters += change.record?.length ?? 0;
  }

  /** Whether a batch has come together: then `send` it. */
  get isDue(): boolean {
    return (
      this.#batch.length >= BATCH_ITEMS[this.#target.name] ||
      this.#characters >= BATCH_CHARACTERS_MAX
    );
  }

  /** Resolves once everything is stored. @throws what any batch failed with */
  async finish(): Promise<void> {
    await this.send();
    while (this.#underWay.length > 0) await this.#underWay.shift();
  }

  /** Resolves once nothing is under way, however it ended: a run that failed leaves nothing behind. */
  async settled(): Promise<void> {
    await Promise.allSettled(this.#underWay.splice(0));
  }

  /** Waits for room, then stores what was added. @throws what an earlier batch failed with */
  async send(): Promise<void> {
    const changes = this.#batch;
    if (changes.length === 0) return;
    this.#batch = [];
    this.#characters = 0;
    while (this.#underWay.length >= BATCHES_UNDER_WAY) await this.#underWay.shift();
    const work = this.#apply(changes);
    // Its failure is met by whoever waits for it next.
    work.catch(() => undefined);
    this.#underWay.push(work);
  }

  async #apply(changes: readonly Change[]): Promise<void> {
    const items = changes.map((change): Item => ({ kind: 'change', change }));
    const results = await this.#target.apply(items);
    if (results.length !== items.length) {
      throw new Error('apply() gave fewer results than items.');
    }
    await this.#settle(changes, results);
  }
}
