export type { FieldSides } from './fields.ts';
export { HISTORY_SOURCES, type KnownState } from './history.ts';
export type {
  JournalChange,
  JsonRecords,
  JsonTrace,
  PostgresRecords,
  RecordAct,
  RecordJob,
  RecordJobs,
  RecordName,
} from './ports.ts';
export {
  type RecordXray,
  type StoreSide,
  type XrayPorts,
  xrayIfKnown,
  xrayRecord,
} from './xray.ts';
