// Clients that live on the API all week: they create, correct and delete, and remember what they were told.
import { setTimeout as sleep } from 'node:timers/promises';

const CATEGORIES = ['Groceries', 'Transport', 'Books', 'Health', 'Eating out', 'Presents'];
const ACCOUNTS = ['Cash', 'Card', 'Bank'];
/** After an answer that was none of the expected ones. */
const REFUSED_PAUSE_MS = 200;

interface Expense {
  readonly id: number;
  readonly notes: string | null;
}

export interface Household {
  /** Answers other than 200. */
  readonly refused: number;
  readonly acknowledged: number;
  /** The longest that a request took since this was asked last, in ms. */
  takeLongestMs(): number;
  /** Ends the traffic, then compares. @returns how many acknowledged writes the API does not show */
  missing(): Promise<number>;
  stop(): Promise<void>;
}

/** @param pace how many clients, and their pause between two records in ms */
export function startHousehold(
  origin: string,
  { clients, pauseMs }: { readonly clients: number; readonly pauseMs: number },
): Household {
  const url = `${origin}/api/v1/expense`;
  /** What each record must say; `null` once it is deleted, `undefined` when an answer stayed away. */
  const told = new Map<number, string | null | undefined>();
  let refused = 0;
  let acknowledged = 0;
  let longestMs = 0;
  let stopping = false;

  const ask = async (method: string, path: string, body?: object): Promise<Expense | undefined> => {
    const askedMs = performance.now();
    try {
      const answer = await fetch(`${url}${path}`, {
        method,
        ...(body && {
          body: JSON.stringify(body),
          headers: { 'content-type': 'application/json' },
        }),
      });
      const { expense } = (await answer.json()) as { expense?: Expense };
      if (answer.status === 200) {
        acknowledged += 1;
        return expense ?? { id: 0, notes: null };
      }
    } catch {
      // Not answered: counted as refused, like any other.
    }
    refused += 1;
    longestMs = Math.max(longestMs, performance.now() - askedMs);
    await sleep(REFUSED_PAUSE_MS);
    return undefined;
  };
  const timed = async (...request: Parameters<typeof ask>) => {
    const askedMs = performance.now();
    const answer = await ask(...request);
    longestMs = Math.max(longestMs, performance.now() - askedMs);
    return answer;
  };
  const live = async (client: number): Promise<void> => {
    for (let n = 0; !stopping; n += 1) {
      const created = await timed('POST', '', {
        date: `2025-12-${String((n % 28) + 1).padStart(2, '0')}`,
        category: CATEGORIES[n % CATEGORIES.length],
        account: ACCOUNTS[client % ACCOUNTS.length],
        amount: ((n * 37 + client) % 20_000) / 100,
        notes: `client ${client}, entry ${n}`,
      });
      if (created !== undefined) {
        const { id } = created;
        told.set(id, created.notes);
        if (n % 3 === 1) {
          const changed = await timed('PATCH', `/${id}`, { field: 'notes', value: 'corrected' });
          told.set(id, changed?.notes);
        } else if (n % 5 === 2) {
          told.set(id, (await timed('DELETE', `/${id}`)) && null);
        }
      }
      await sleep(pauseMs);
    }
  };
  const running = Array.from({ length: clients }, (_, client) => live(client));
  const stop = async () => {
    stopping = true;
    await Promise.all(running);
  };
  return {
    get refused() {
      return refused;
    },
    get acknowledged() {
      return acknowledged;
    },
    takeLongestMs() {
      const longest = longestMs;
      longestMs = 0;
      return longest;
    },
    async missing() {
      await stop();
      const stored = (await (await fetch(url)).json()) as Expense[];
      const notes = new Map(stored.map((one) => [one.id, one.notes]));
      const isMissing = ([id, said]: [number, string | null | undefined]) =>
        said !== undefined && (notes.get(id) ?? null) !== said;
      return [...told].filter(isMissing).length;
    },
    stop,
  };
}
