import type { Change, KeyItem } from '@tandem/storage/changes';
import type {
  DeadLetter,
  DeadLetterAct,
  DeadLetterAnswer,
  DeadLetterGroup,
} from '@tandem/storage/replication';
import type { RecordXray } from '@tandem/storage/xray';

// What the operators' API says of dead letters.

export interface Letter extends Omit<DeadLetter, 'item'> {
  readonly change: Change | null;
  readonly key: KeyItem | null;
}

export interface LetterGroup extends Omit<DeadLetterGroup, 'example'> {
  readonly example: Letter;
}

export interface LetterGroups {
  readonly total: number;
  readonly groupCount: number;
  readonly groups: readonly LetterGroup[];
}

export interface LetterList {
  readonly letters: readonly Letter[];
  readonly total: number;
  readonly next: string | null;
}

/** `record` is `null` where the letter carries no change of a known collection. */
export interface ShownLetter {
  readonly letter: Letter;
  readonly record: RecordXray | null;
}

export interface LettersAnswer extends Omit<DeadLetterAnswer, 'groups'> {
  readonly groups: readonly LetterGroup[];
}

/** Which letters an act means: those of a filter, or all. */
export type Meant = { readonly filter: Readonly<Record<string, unknown>> } | { readonly all: true };

export interface ActWords {
  readonly act: DeadLetterAct;
  /** On buttons. */
  readonly verb: string;
  /** Of what it was done to: `12 letters were …`. */
  readonly done: string;
  readonly sentence: string;
  readonly isGrave: boolean;
}

/** What is asked about in a dialog. */
export interface AskedAct {
  readonly words: ActWords;
  readonly meant: Meant;
  readonly what: string;
}

export const ACTS = {
  redrive: {
    act: 'redrive',
    verb: 'Redrive',
    done: 'put back into the queue',
    sentence:
      'They go back into their queue and are tried anew. That is always safe: what is stale or there already changes nothing.',
    isGrave: false,
  },
  discard: {
    act: 'discard',
    verb: 'Discard',
    done: 'given up',
    sentence:
      'They are given up for good: their changes will not reach the other store, which goes on to differ until the record is written again. What they carried stays in the audit log.',
    isGrave: true,
  },
} as const satisfies Readonly<Record<DeadLetterAct, ActWords>>;
