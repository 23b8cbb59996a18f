import type { EditAdopter } from '../changes/index.ts';
import type { KeepDisagreements } from './disagreements.ts';
import type { Pace } from './pace.ts';

/** What a store is opened with; `JsonStoreOptions` explains each. */
export interface StoreSettings {
  readonly journalBytesMax: number;
  readonly checkpointAfterBytes: number;
  readonly idleMarkMs: number;
  readonly pace: Pace;
  readonly probeIntervalMs: number;
  /** Takes adopted edits in the phases in which this store does not. */
  readonly otherPrimary: EditAdopter | undefined;
  readonly keepDisagreements: KeepDisagreements | undefined;
}
