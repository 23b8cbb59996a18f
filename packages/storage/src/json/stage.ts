import { type Item, judge, type Outcome, plan, type Write } from '../changes/index.ts';
import { sentenceOf, TandemError } from '../errors.ts';
import { type JsonPhaseState, primaryOf } from '../phase/index.ts';
import type { ApplyResult } from '../store.ts';
import type { Batch } from './batch.ts';
import { scanEntry } from './record-table.ts';

/** Whether the JSON store accepts writes of its own in this state (I3). */
export const acceptsWrites = ({ phase, sealed, committing }: JsonPhaseState): boolean =>
  primaryOf(phase) === 'json' && !sealed && committing === null;

/** @throws {TandemError} `not-primary` when the store accepts no writes of its own */
export function assertPrimary(state: JsonPhaseState): void {
  if (acceptsWrites(state)) return;
  const { phase, epoch, sealed } = state;
  const why =
    primaryOf(phase) === 'json'
      ? sealed
        ? 'it is sealed for a switch'
        : 'a switch is being committed'
      : `the phase is ${phase}`;
  throw new TandemError('not-primary', `The JSON store accepts no writes: ${why}.`, {
    detail: { phase, epoch },
  });
}

/**
 * Plans one write into the batch.
 * @throws {TandemError} `not-primary`, `key-reused`
 */
export function stageWrite(batch: Batch, write: Write): Outcome {
  assertPrimary(batch.phase);
  const { command, key, trace } = write;
  if (trace !== undefined) batch.traced(trace);
  const known = key === undefined ? undefined : batch.key(key.key);
  if (key !== undefined && known !== undefined) {
    if (known.fingerprint === key.fingerprint) return JSON.parse(known.outcome);
    throw new TandemError(
      'key-reused',
      'This Idempotency-Key was already used for another request.',
    );
  }
  const { outcome, changes } = plan(write, batch.planning(command.collection.name));
  for (const change of changes) {
    // What is planned fits, but for a mapping error that is written anew as it is.
    const fits =
      command.op !== 'rewrite' ||
      batch.memory.table(change.collection).fits(change.id, change.record);
    batch.change(change, 'primary', fits, trace);
  }
  if (key !== undefined) {
    batch.putKey({ ...key, outcome: JSON.stringify(outcome), at: batch.at }, 'primary', trace);
  }
  return outcome;
}

/** Applies one item through the version guard (I4); allowed in every phase. */
export function stageApply(batch: Batch, item: Item): ApplyResult {
  if (item.kind === 'key') {
    if (batch.key(item.key.key) !== undefined) return { verdict: 'no-op' };
    batch.putKey(item.key, 'secondary');
    return { verdict: 'apply' };
  }
  const { change } = item;
  const table = batch.memory.find(change.collection);
  if (table === undefined) return rejected(`There is no collection ${change.collection}.`);
  const stored = batch.current(change.collection, change.id);
  const verdict = judge(change, stored);
  if (verdict !== 'apply') {
    return stored === undefined ? { verdict } : { verdict, stored: scanEntry(stored) };
  }
  let fits: boolean;
  try {
    if (change.record?.includes('\n')) return rejected('The record is not in canonical form.');
    fits = table.fits(change.id, change.record);
  } catch (error) {
    if (!(error instanceof SyntaxError || error instanceof TypeError)) throw error;
    return rejected(sentenceOf(error));
  }
  batch.change(change, 'secondary', fits);
  return { verdict };
}

const rejected = (error: string): ApplyResult => ({ verdict: 'rejected', error, permanent: true });
