import type { Collection } from '@tandem/storage/collections';
import { alwaysQueued, queuedByRelay, type ShadowedStores } from '@tandem/storage/consistency';
import { sentenceOf } from '@tandem/storage/errors';
import { freshReads, type JsonSnapshot, openJsonSnapshot } from '@tandem/storage/json';
import type { Log } from '@tandem/storage/log';
import { createExplanations } from '@tandem/storage/replication';
import type { Pool } from 'pg';
import type { ApiProcess } from './api-process.ts';

/** After the JSON store could not be read beside its holder, how long it is not tried again. */
const RETRY_INTERVAL_MS = 5_000;

export interface ShadowStoresOptions {
  readonly api: ApiProcess;
  readonly jsonDir: string;
  readonly collections: readonly Collection[];
  /** Asked what is on its way. */
  readonly pool: Pool;
  readonly log: Log;
}

/**
 * The two stores of a dual phase, as this process can read them. In `postgres-primary` the worker holds
 * the JSON store, and it is read beside it: a copy of it in this process's memory, opened with the first
 * shadow read and let go when the phase moves.
 */
export class ShadowStores {
  readonly #options: ShadowStoresOptions;
  #snapshot: JsonSnapshot | undefined;
  #opening: Promise<void> | undefined;
  #retryAtMs = 0;
  #closed = false;

  constructor(options: ShadowStoresOptions) {
    this.#options = options;
  }

  /** `undefined` while there is nothing to compare: no second store, one that is being brought up by
   *  difference, or one that can't be read. */
  now(): ShadowedStores | undefined {
    const { keeper, database } = this.#options.api;
    const { phase, epoch = 0 } = keeper.effective ?? {};
    if (phase !== 'postgres-primary') this.#letGo();
    if (!database.state.usable) return undefined;
    if (phase === 'json-primary') return this.#ofJsonPrimary(epoch);
    return phase === 'postgres-primary' ? this.#ofPostgresPrimary(epoch) : undefined;
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#opening;
    this.#letGo();
  }

  #ofJsonPrimary(epoch: number): ShadowedStores | undefined {
    const { api, pool } = this.#options;
    const json = api.keeper.session?.json;
    if (json === undefined) return undefined;
    const state = json.phase.read();
    if (state.catchUpSince !== null || state.braked) return undefined;
    return {
      ...{ primary: json, secondary: api.postgres, epoch },
      explanations: createExplanations(pool, 'postgres'),
      mark: queuedByRelay(
        async () => json.outbox.head(),
        async () => json.outbox.relayedSeq,
      ),
    };
  }

  #ofPostgresPrimary(epoch: number): ShadowedStores | undefined {
    const { api, pool } = this.#options;
    if (api.keeper.catchUpSince !== null) return undefined;
    if (this.#snapshot === undefined) {
      this.#open();
      return undefined;
    }
    return {
      ...{ primary: api.postgres, secondary: freshReads(this.#snapshot), epoch },
      ...{ explanations: createExplanations(pool, 'json'), mark: alwaysQueued },
    };
  }

  #open(): void {
    if (this.#opening !== undefined || this.#closed || performance.now() < this.#retryAtMs) return;
    const { jsonDir: directory, collections, log } = this.#options;
    this.#opening = openJsonSnapshot({ directory, collections })
      .then((snapshot) => {
        this.#snapshot = snapshot;
        log.info({ directory }, 'Shadow reads: the JSON store is read beside its holder');
      })
      .catch((error: unknown) => {
        this.#retryAtMs = performance.now() + RETRY_INTERVAL_MS;
        log.debug({ error: sentenceOf(error) }, 'Shadow reads: the JSON store can not be read');
      })
      .finally(() => {
        this.#opening = undefined;
      });
  }

  #letGo(): void {
    const snapshot = this.#snapshot;
    this.#snapshot = undefined;
    if (snapshot === undefined) return;
    snapshot.close().catch((error: unknown) => {
      this.#options.log.debug({ error: sentenceOf(error) }, 'A file of the JSON store stays open');
    });
  }
}
