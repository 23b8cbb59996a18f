import type { FaultName } from '../fault-kinds.ts';
import { checkpoint } from './checkpoint.ts';
import { clockStep } from './clock-step.ts';
import { commitCut } from './commit-cut.ts';
import { connections } from './connections.ts';
import { externalEdit } from './external-edit.ts';
import type { Fault } from './fault.ts';
import { fullDisk } from './full-disk.ts';
import { kill } from './kill.ts';
import { poison } from './poison.ts';
import { postgresStop } from './postgres-stop.ts';
import { restart } from './restart.ts';
import { suspend } from './suspend.ts';
import { workers } from './workers.ts';

/** What each kind of fault does. */
export const FAULTS: Readonly<Record<FaultName, Fault>> = {
  kill,
  suspend,
  'postgres-stop': postgresStop,
  connections,
  'commit-cut': commitCut,
  'full-disk': fullDisk,
  'clock-step': clockStep,
  workers,
  poison,
  'external-edit': externalEdit,
  restart,
  checkpoint,
};
