import { type Phase, primaryOf } from '@tandem/storage/phase';
import { attempt } from './attempt.ts';
import type { Call, Operation } from './history.ts';
import type { World } from './world.ts';

const REFUSED = '503 unavailable';

/**
 * Lets every api take a write while all is quiet, and keeps it like any client's.
 * @returns what is wrong: in the phases of PostgreSQL all take it, in those of JSON one, and the others say no
 */
export async function askEach(
  { apis, history }: World,
  desired: Phase,
): Promise<readonly string[]> {
  const asked: Operation[] = [];
  for (const { name, origin } of apis) {
    const text = `asked-${history.operations.length}`;
    const set = { category: 'Food', account: 'Cash', amount: 1, currency: '₪' };
    const call: Call = { kind: 'create', set: { ...set, business: text, notes: text } };
    const startMs = performance.now();
    const answer = await attempt(origin, call);
    const endMs = answer.outcome === 'unknown' ? Number.POSITIVE_INFINITY : performance.now();
    const operation = { client: 'judge', call, startMs, endMs, attempts: 1, via: name, ...answer };
    history.add(operation);
    asked.push(operation);
  }
  const taken = asked.filter(({ outcome }) => outcome === 'ok').length;
  const refused = asked.filter(({ told }) => told === REFUSED).length;
  const wanted = primaryOf(desired) === 'json' ? 1 : apis.length;
  if (taken === wanted && refused === apis.length - wanted) return [];
  const told = asked.map((one) => `${one.via} told ${one.told}`).join(', ');
  return [`In ${desired}, with all quiet, a write was not taken as it should: ${told}.`];
}
