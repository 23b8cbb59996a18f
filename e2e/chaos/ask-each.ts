import { attempt } from './attempt.ts';
import type { Call } from './history.ts';
import type { World } from './world.ts';

/**
 * Lets every api that says it is ready take a write while all is quiet, and keeps it like any client's.
 * One that stands by is not asked: it keeps requests for some seconds, in case the store comes to it.
 * @returns what is wrong
 */
export async function askEach({ apis, history, readinesses }: World): Promise<readonly string[]> {
  const wrong: string[] = [];
  const readiness = await readinesses();
  const ready = apis.filter((_, index) => readiness[index]?.isReady);
  for (const { name, origin } of ready) {
    const text = `asked-${history.operations.length}`;
    const set = { category: 'Food', account: 'Cash', amount: 1, currency: '₪' };
    const call: Call = { kind: 'create', set: { ...set, business: text, notes: text } };
    const startMs = performance.now();
    const answer = await attempt(origin, call);
    const endMs = answer.outcome === 'unknown' ? Number.POSITIVE_INFINITY : performance.now();
    history.add({ client: 'judge', call, startMs, endMs, attempts: 1, via: name, ...answer });
    if (answer.outcome === 'ok') continue;
    wrong.push(`${name} is ready, all is quiet, and it told a write: ${answer.told}.`);
  }
  return wrong;
}
