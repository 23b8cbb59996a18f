import { call } from './record-client.ts';

type Json = Record<string, unknown>;

/** Writers that never stop asking, and what they were told. */
export interface Load {
  /** Every acknowledged expense by id, as it was last acknowledged; `null` once deleted. */
  readonly acknowledged: Map<number, Json | null>;
  /** Answers other than 200, by status; 0 stands for no answer at all. */
  readonly refused: Map<number, number>;
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
  let stopping = false;

  const ask = async (method: string, path: string, body?: Json): Promise<Json | undefined> => {
    const answer = await call(origin, method, `/api/v1/expense${path}`, body).catch(
      () => undefined,
    );
    if (answer?.status === 200) return answer.body as Json;
    const status = answer?.status ?? 0;
    refused.set(status, (refused.get(status) ?? 0) + 1);
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
    async stop() {
      stopping = true;
      await Promise.all(running);
    },
  };
}
