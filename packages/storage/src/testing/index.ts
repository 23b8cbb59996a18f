export { type OpenedStore, storeContract } from './store-contract.ts';
export * from './store-fixture.ts';
export { createEmptyDatabase, createTestDatabase, type TestDatabase } from './database.ts';
