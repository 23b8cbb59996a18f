import { setTimeout as sleep } from 'node:timers/promises';
import { vi } from 'vitest';
import { call } from './record-client.ts';

/** After an attempt that was refused or not answered; otherwise the clients take the processor. */
const REFUSED_PAUSE_MS = 20;

type Json = Record<string, unknown>;

/** Writers that never stop asking, and what they were told. */
export interface Load {
  /** Every acknowledged expense by id, as it was last acknowledged; `null` once deleted. */
  readonly acknowledged: Map<number, Json | null>;
  /** Answers other than 200, by status; 0 stands for no answer at all. */
  readonly refused: Map<number, number>;
  /** Ids that were given to more than one record. */
  readonly repeatedIds: readonly number[];
  /** The longest that any request took so far, in ms, answered or not. */
  readonly longestMs: number;
  stop(): Promise<void>;
}

/**
 * Starts `writers` clients that create, change and delete expenses one after the other. Each touches
 * only records of its own, so what was acknowledged last is what must be there. A record whose change
 * was not answered is left alone from then on and forgotten: it may be in either state.
 */
export function startLoad(origin: string, writers: number): Load {
  const acknowledged = new Map<number, Json | null>();
  const refused = new Map<number, number>();
  const given = new Set<number>();
  const repeatedIds: number[] = [];
  let longestMs = 0;
  let stopping = false;

  const ask = async (method: string, path: string, body?: Json): Promise<Json | undefined> => {
    const askedMs = performance.now();
    const answer = await call(origin, method, `/api/v1/expense${path}`, body).catch(
      () => undefined,
    );
    longestMs = Math.max(longestMs, performance.now() - askedMs);
    if (answer?.status === 200) return answer.body as Json;
    const status = answer?.status ?? 0;
    refused.set(status, (refused.get(status) ?? 0) + 1);
    await sleep(REFUSED_PAUSE_MS);
    return undefined;
  };

  const write = async (writer: number): Promise<void> => {
    for (let n = 0; !stopping; n += 1) {
      const fields = { date: '2025-11-23', category: 'Food', account: 'Cash', amount: n / 100 };
      const created = (await ask('POST', '', { ...fields, notes: `${writer}-${n}` }))?.expense as
        | Json
        | undefined;
      if (created === undefined) continue;
      const id = created.id as number;
      if (given.has(id)) repeatedIds.push(id);
      given.add(id);
      acknowledged.set(id, created);
      if (n % 3 === 1) {
        const change = { field: 'notes', value: `changed ${writer}-${n}` };
        const patched = await ask('PATCH', `/${id}`, change);
        if (patched === undefined) acknowledged.delete(id);
        else acknowledged.set(id, patched.expense as Json);
      }
      if (n % 3 === 2) {
        if ((await ask('DELETE', `/${id}`)) === undefined) acknowledged.delete(id);
        else acknowledged.set(id, null);
      }
    }
  };
  const running = Array.from({ length: writers }, (_, writer) => write(writer));
  return {
    acknowledged,
    refused,
    repeatedIds,
    get longestMs() {
      return longestMs;
    },
    async stop() {
      stopping = true;
      await Promise.all(running);
    },
  };
}

/** Resolves when that many more records have been created by the load. */
export async function moreWrites(load: Load, count: number): Promise<void> {
  const before = load.acknowledged.size;
  await vi.waitUntil(() => load.acknowledged.size >= before + count, {
    timeout: 60_000,
    interval: 50,
  });
}
