import { expect } from 'vitest';
import type { Store } from '../store.ts';
import { allEntries, allPages, allTexts } from './store-fixture.ts';
import type { StoreModel } from './store-model.ts';

/** A store under test by the model, with the ways it can end and come back. */
export interface StoreSubject {
  /** The store as it is open now. */
  readonly store: Store;
  /** Milliseconds since 1970, as the store's clock reads from now on. */
  setClock(nowMs: number): void;
  /** Ends it as a killed process would, without closing, and opens what is durable. */
  crash(): Promise<void>;
  /** Closes it and opens it again. */
  reopen(): Promise<void>;
  /** Writes its checkpoint and looks at it, where the store has one. */
  checkpoint?(model: StoreModel): Promise<void>;
  close(): Promise<void>;
}

/** Entries read at once: small, so that a scan has several chunks. */
const SCAN_LIMIT = 7;

/** Compares all that can be seen of a store with the model. */
export async function agree(model: StoreModel, { store }: StoreSubject): Promise<void> {
  const marks = await store.idHighWater();
  for (const collection of model.collections) {
    const mark = marks[collection.name] ?? 0;
    // A store may use up ids that nobody was given; it never knows fewer (I9).
    expect(mark, `I9: high-water of ${collection.name}`).toBeGreaterThanOrEqual(
      model.mark(collection),
    );
    model.highWater.set(collection.name, mark);
    expect(await allEntries(store, SCAN_LIMIT, collection)).toEqual(model.entries(collection));
    const listed = model.listed(collection);
    expect(await allTexts(store, collection)).toEqual(listed.map(({ text }) => text));
  }
  expect(await store.scanKeys('', 1_000)).toEqual(model.keyItems());
}

/** Compares pages of one length with the model. */
export async function agreePages(
  model: StoreModel,
  { store }: StoreSubject,
  limit: number,
): Promise<void> {
  for (const collection of model.collections) {
    expect(await allPages(store, limit, collection)).toEqual(model.listed(collection));
  }
}
