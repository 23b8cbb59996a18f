import { expenseValues } from '../records.ts';

/** The records that a peer with a file begins with: as many as the variable RECORDS says. */
export const firstExpenses = (): object[] =>
  Array.from({ length: Number(process.env.RECORDS ?? '0') }, (_, n) => ({
    ...expenseValues(n),
    amount: Number(expenseValues(n).amount),
    id: n + 1,
  }));
