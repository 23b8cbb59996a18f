import type { Change, Item } from '../changes/index.ts';
import type { ApplyResult, ScanEntry } from '../store.ts';

/** A change that applying kept out, and the state that it met. */
export interface Disagreement {
  readonly class: 'fork' | 'conflict';
  readonly change: Change;
  readonly stored: ScanEntry;
}

/** Port: keeps both sides for a decision (I4), before whoever applied is told. Kept once, however often
 *  a change is delivered. */
export type KeepDisagreements = (found: readonly Disagreement[]) => Promise<void>;

/** The disagreements among the results of applying. */
export function disagreements(
  items: readonly Item[],
  results: readonly ApplyResult[],
): readonly Disagreement[] {
  const found: Disagreement[] = [];
  for (const [index, result] of results.entries()) {
    const item = items[index];
    if (result.verdict !== 'fork' && result.verdict !== 'conflict') continue;
    if (item?.kind !== 'change' || result.stored === undefined) continue;
    found.push({ class: result.verdict, change: item.change, stored: result.stored });
  }
  return found;
}
