import { alwaysQueued, queuedByRelay, type ShadowedStores } from '@tandem/storage/consistency';
import { createExplanations } from '@tandem/storage/replication';
import type { Pool } from 'pg';
import type { ApiProcess } from './api-process.ts';

/**
 * The two stores of a dual phase, as this process can read them. In `postgres-primary` the worker holds
 * the JSON store; this process follows it anyway, to be able to take it over, and reads what it follows.
 * @param pool asked what is on its way
 * @returns `undefined` while there is nothing to compare: no second store, one that is being brought up
 *   by difference, or one that can't be read
 */
export function shadowStores(api: ApiProcess, pool: Pool): ShadowedStores | undefined {
  const { keeper, database, postgres } = api;
  const { phase, epoch = 0 } = keeper.effective ?? {};
  if (!database.state.usable) return undefined;
  if (phase === 'json-primary') {
    const json = keeper.session?.json;
    if (json === undefined) return undefined;
    const state = json.phase.read();
    if (state.catchUpSince !== null || state.braked) return undefined;
    return {
      ...{ primary: json, secondary: postgres, epoch },
      explanations: createExplanations(pool, 'postgres'),
      mark: queuedByRelay(
        async () => json.outbox.head(),
        async () => json.outbox.relayedSeq,
      ),
    };
  }
  const json = keeper.warmth.follower?.reads;
  if (phase !== 'postgres-primary' || json === undefined) return undefined;
  if (keeper.catchUpSince !== null) return undefined;
  return {
    ...{ primary: postgres, secondary: json, epoch },
    ...{ explanations: createExplanations(pool, 'json'), mark: alwaysQueued },
  };
}
