export {
  createEmptyDatabase,
  createTestDatabase,
  type TestDatabase,
} from './database.ts';
export { type DualStores, openDualStores } from './dual-stores.ts';
export { createQueueDatabase, type QueueDatabase } from './queue-database.ts';
export { type RecordingLog, recordingLog } from './recording-log.ts';
export {
  chainOf,
  createReplicationFixture,
  type ReplicationFixture,
} from './replication-fixture.ts';
export { below, pickOf, randomFrom, seedOf } from './seeded-random.ts';
export { type OpenedStore, storeContract } from './store-contract.ts';
export * from './store-fixture.ts';
export { startTcpProxy, type TcpProxy } from './tcp-proxy.ts';
export { until } from './until.ts';
