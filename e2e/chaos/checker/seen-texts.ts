import type { Expense, Operation } from '../history.ts';

export const textsOf = ({ notes, business }: Partial<Expense>): string[] =>
  [notes, business].filter((text) => text !== null && text !== undefined);

/** Every text that was seen in a record, by anybody. */
export function seenTexts(
  operations: readonly Operation[],
  final: {
    readonly json: ReadonlyMap<number, Expense>;
    readonly postgres: ReadonlyMap<number, Expense>;
  },
): ReadonlySet<string> {
  const seen = new Set<string>();
  const see = (record: Expense) => {
    for (const text of textsOf(record)) seen.add(text);
  };
  for (const { record, records = [], outcome } of operations) {
    if (record && outcome === 'ok') see(record);
    for (const one of records) see(one);
  }
  for (const record of [...final.json.values(), ...final.postgres.values()]) see(record);
  return seen;
}
