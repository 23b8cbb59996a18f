/** The request of the transition guide. */
export const GUIDE = {
  date: '2025-12-07',
  category: 'Groceries',
  amount: 150.5,
  account: 'Cash',
  currency: '₪',
  notes: 'Weekly shopping',
};
