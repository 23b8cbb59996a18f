import type { Expense, Operation } from '../history.ts';
import { explainOrder, type Step } from './linearizable.ts';
import { listsByRecord } from './lists.ts';
import { canonical, isSame, type Life, stepOf } from './record-steps.ts';
import { textsOf } from './seen-texts.ts';

/** What is known of a record that had an order: a history only grows, so the same of it has one again. */
export type Judged = Map<number, string>;

interface Found {
  readonly operations: readonly Operation[];
  readonly final: { readonly atMs: number; readonly json: ReadonlyMap<number, Expense> };
  readonly byRecord: ReadonlyMap<number, readonly Operation[]>;
  readonly seen: ReadonlySet<string>;
}

interface WithoutOrder {
  readonly id: number;
  readonly what: string;
  readonly lines: readonly string[];
}

/** Records of which no order of what happened agrees with every answer, the final state included. */
export function ordersWithout(found: Found, judged: Judged): readonly WithoutOrder[] {
  const { byRecord, final, operations, seen } = found;
  const lists = listsByRecord(operations, birthsOf(found));
  const ids = new Set([...lists.keys(), ...final.json.keys()]);
  return [...ids].flatMap((id) => {
    const own = (byRecord.get(id) ?? []).filter((operation) => mayMatter(operation, seen));
    const listed = lists.get(id) ?? [];
    const last = final.json.get(id);
    const known = `${own.length} ${listed.length} ${last === undefined ? 'none' : canonical(last)}`;
    if (judged.get(id) === known) return [];
    const steps = [...own, ...listed].flatMap((operation) => stepOf(operation, id) ?? []);
    const stuck = explainOrder([...steps, standing(final, id)], 'unborn' as Life);
    if (stuck === undefined) {
      judged.set(id, known);
      return [];
    }
    const isMissing = last === undefined && !own.some(({ call }) => call.kind.includes('delete'));
    const what = isMissing
      ? `I1: expense ${id} was acknowledged, was deleted by nobody, and is missing.`
      : `What happened to expense ${id} has no order that agrees with every answer.`;
    const { state, next } = stuck;
    const lines = [
      `An order was found up to the state ${typeof state === 'string' ? state : canonical(state)};`,
      ...next.map((text) => `  not next: ${text}`),
    ];
    return [{ id, what, lines }];
  });
}

/** When each record was first heard of, be it in a list alone. */
function birthsOf({ byRecord, operations }: Found): ReadonlyMap<number, number> {
  const births = new Map<number, number>();
  const hear = (id: number, atMs: number) => {
    if (atMs < (births.get(id) ?? Number.POSITIVE_INFINITY)) births.set(id, atMs);
  };
  for (const [id, own] of byRecord) for (const { startMs } of own) hear(id, startMs);
  for (const { records = [], startMs } of operations) {
    for (const { id } of records) if (!byRecord.has(id)) hear(id, startMs);
  }
  return births;
}

/** An unknown change whose texts nobody ever saw may as well not have happened. */
const mayMatter = ({ call, outcome }: Operation, seen: ReadonlySet<string>): boolean =>
  outcome !== 'unknown' ||
  call.kind !== 'update' ||
  textsOf(call.set).some((text) => seen.has(text));

/** What the stores hold is one more answer. */
const standing = ({ atMs, json }: Found['final'], id: number): Step<Life> => {
  const found = json.get(id);
  return {
    startMs: atMs,
    endMs: atMs,
    text: `at the end: ${found === undefined ? 'none' : canonical(found)}`,
    apply: (life) => {
      if (found === undefined) return typeof life === 'string' ? life : undefined;
      return typeof life !== 'string' && isSame(found, life) ? life : undefined;
    },
  };
};
