import type { PhaseSeen, ReadFence } from '../phase/index.ts';
import { phaseOfRow, READ_PHASE } from './phase-row.ts';
import type { ReadContext } from './store-context.ts';
import { type Row, rows } from './transaction.ts';

/** Of the phase row, in the order of `seenIn`. */
const SEEN = ['phase', 'epoch', 'sealed'] as const;

/** A column that says where in an order a row stands. */
export const placeIn = (order: string): string => `row_number() OVER (ORDER BY ${order}) AS place`;

/** The one row of a select, or none. What holds of `fencedRows` holds of it, but for the place. */
export async function fencedRow(
  context: ReadContext,
  select: string,
  values: readonly unknown[],
): Promise<Row | undefined> {
  return (await read(context, select, '', values))[0];
}

/**
 * The rows of a select, whose first column is an id and one of whose columns is `placeIn` its order. Where a fence
 * stands, they come with the phase row of the same snapshot, which it judges. One statement either way.
 */
export const fencedRows = (
  context: ReadContext,
  select: string,
  values: readonly unknown[],
): Promise<readonly Row[]> => read(context, select, 'ORDER BY s.place', values);

async function read(
  { pool, fence }: ReadContext,
  select: string,
  order: string,
  values: readonly unknown[],
): Promise<readonly Row[]> {
  if (fence === undefined) return rows(pool, select, values);
  // An outer join: the phase is there also where nothing was found.
  const found = await rows(
    pool,
    `SELECT ${SEEN.map((name) => `p.${name}`).join(', ')}, s.* FROM phase_state AS p
     LEFT JOIN LATERAL (${select}) AS s ON true ${order}`,
    values,
  );
  await fence(seenIn(found[0]));
  return found.map((row) => row.slice(SEEN.length)).filter(([id]) => id !== null);
}

/** Nothing is read, and answered all the same: what PostgreSQL is at this moment is judged. */
export async function passFence({ pool, fence }: ReadContext): Promise<void> {
  if (fence !== undefined) await fence(phaseOfRow((await rows(pool, READ_PHASE))[0]));
}

/** The first statement of a transaction whose snapshot is read from afterwards, and who judges it. */
export const fencedFirst = (fence: ReadFence) => ({
  statement: READ_PHASE,
  seen: ([row]: readonly Row[]) => fence(phaseOfRow(row)),
});

function seenIn(row: Row | undefined): PhaseSeen {
  if (row === undefined) throw new Error('phase_state has no row.');
  const [phase, epoch, sealed] = row;
  return { phase, epoch, sealed } as PhaseSeen;
}
