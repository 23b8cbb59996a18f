import { TandemError } from '@tandem/storage/errors';
import type { Phase } from '@tandem/storage/phase';
import type { Store } from '@tandem/storage/store';

/** Where this process stands: what it serves from, or why it does not serve. */
export type Standing =
  | { readonly serving: true; readonly store: Store; readonly phase: Phase }
  | { readonly serving: false; readonly sentence: string };

/** The one place that says which store serves requests now. */
export class Primary {
  #standing: Standing = { serving: false, sentence: 'The service is starting.' };

  get standing(): Standing {
    return this.#standing;
  }

  serve(store: Store, phase: Phase): void {
    this.#standing = { serving: true, store, phase };
  }

  refuse(sentence: string): void {
    this.#standing = { serving: false, sentence };
  }

  /** @throws {TandemError} `unavailable` while nothing is served */
  store(): Store {
    if (this.#standing.serving) return this.#standing.store;
    throw new TandemError('unavailable', this.#standing.sentence);
  }
}
