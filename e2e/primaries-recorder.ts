import { setTimeout as sleep } from 'node:timers/promises';
import { inspectJsonStore } from '@tandem/storage/json';
import { type JsonPhaseState, primaryOf } from '@tandem/storage/phase';
import pg from 'pg';

const LOOK_INTERVAL_MS = 20;

/** Asks both stores, over and over, whether they would accept a write. */
export interface PrimariesRecorder {
  /** How often both stores could be asked. */
  readonly looks: number;
  /** The moments at which both would have accepted one. */
  readonly violations: readonly string[];
  stop(): Promise<void>;
}

const acceptsIn = ({ phase, sealed, committing }: JsonPhaseState): boolean =>
  primaryOf(phase) === 'json' && !sealed && committing === null;

/**
 * Starts asking. PostgreSQL is asked between two looks at the manifest that find the same: then both
 * states stood at the same moment.
 */
export function recordPrimaries(url: string, jsonDir: string): PrimariesRecorder {
  const violations: string[] = [];
  let looks = 0;
  let stopping = false;
  let client: pg.Client | undefined;

  const row = async () => {
    if (client === undefined) {
      client = new pg.Client({ connectionString: url });
      client.on('error', () => {
        client = undefined;
      });
      await client.connect();
    }
    return (await client.query('SELECT phase, epoch, sealed FROM phase_state')).rows[0];
  };
  const inspect = async () => (await inspectJsonStore(jsonDir)).phase;
  const look = async () => {
    const before = await inspect();
    const there = await row();
    const after = await inspect();
    if (before === undefined || after === undefined || there === undefined) return;
    if (JSON.stringify(before) !== JSON.stringify(after)) return;
    looks += 1;
    if (acceptsIn(before) && primaryOf(there.phase) === 'postgres' && !there.sealed) {
      violations.push(JSON.stringify({ json: before, postgres: there }));
    }
  };
  const running = (async () => {
    while (!stopping) {
      // A server that was ended, a manifest that is being replaced: the next look tells.
      await look().catch(() => {
        client = undefined;
      });
      await sleep(LOOK_INTERVAL_MS);
    }
    await client?.end().catch(() => undefined);
  })();
  return {
    get looks() {
      return looks;
    },
    violations,
    async stop() {
      stopping = true;
      await running;
    },
  };
}
