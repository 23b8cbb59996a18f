import { afterEach, beforeEach, describe } from 'vitest';
import type { Store } from '../store.ts';
import { applyContract } from './store-contract-apply.ts';
import { idContract, keyContract } from './store-contract-keys.ts';
import { readContract } from './store-contract-read.ts';
import { writeContract } from './store-contract-write.ts';

/** An empty store that is primary (`json-only`, `postgres-only`), and how to end it. */
export interface OpenedStore {
  readonly store: Store;
  close(): Promise<void>;
}

/** The suite both stores pass: what the `Store` contract says, and nothing about how. */
export function storeContract(name: string, open: () => Promise<OpenedStore>): void {
  describe(`${name} keeps the Store contract`, () => {
    let opened: OpenedStore;
    beforeEach(async () => {
      opened = await open();
    });
    afterEach(() => opened.close());

    const store = (): Store => opened.store;
    describe('writes', () => writeContract(store));
    describe('reads', () => readContract(store));
    describe('apply', () => applyContract(store));
    describe('idempotency keys', () => keyContract(store));
    describe('ids', () => idContract(store));
  });
}
