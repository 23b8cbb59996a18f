//   expected so many? ──▶ 2,000 at a time ──▶ told how far ──▶ until none is left that was meant
import { send } from '../../api/client.ts';
import type { ActWords, LettersAnswer, Meant } from './letters.ts';

/** Letters that one request acts upon; between two of them the page says how far it is. */
const STEP_LETTERS = 2_000;

export interface ActTotal {
  readonly changed: number;
  /** Gone before their turn: redriven, discarded or retired by another. */
  readonly skipped: number;
  readonly remaining: number;
}

export interface ActOrder {
  readonly act: ActWords['act'];
  readonly meant: Meant;
  readonly reason: string;
  /** Nothing is done unless so many match. */
  readonly expectedCount: number;
  readonly signal: AbortSignal;
  readonly onProgress: (total: ActTotal) => void;
}

/**
 * Acts on all that is meant, a part at a time; what dies meanwhile is not meant. Aborted, it ends
 * after the part under way.
 * @throws {Problem}
 */
export async function actInSteps({
  act,
  meant,
  reason,
  expectedCount,
  signal,
  onProgress,
}: ActOrder): Promise<ActTotal> {
  let changed = 0;
  let body: object = { ...meant, expectedCount };
  for (;;) {
    const answer = await send<LettersAnswer>('POST', `/dead-letters/${act}`, {
      ...{ ...body, reason, limit: STEP_LETTERS },
    });
    changed += answer.changed;
    const { remaining } = answer;
    const skipped = Math.max(0, expectedCount - changed - remaining);
    const total = { changed, skipped, remaining };
    onProgress(total);
    // What another act has in hand is left to it.
    if (remaining === 0 || answer.changed === 0 || signal.aborted) return total;
    body = { filter: { ...('filter' in meant ? meant.filter : {}), olderThan: answer.asOf } };
  }
}
