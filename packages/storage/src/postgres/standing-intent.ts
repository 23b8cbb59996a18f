import type { PoolClient } from 'pg';
import { FLAG_NAMES, type PhaseIntent } from '../phase/index.ts';
import { rows } from './transaction.ts';

// A row's `xmin` is the transaction that wrote it. `tandem phase set` writes the intent and both flags
// in one; whoever changes a flag afterwards, by whatever means, leaves another `xmin` there.
const STANDING = `
  SELECT actor, act, desired, reason FROM phase_intents AS intent
  WHERE id = (SELECT max(id) FROM phase_intents)
    AND $2 = (SELECT count(*) FROM feature_flags AS flag
              WHERE flag.user_id IS NULL AND flag.name = ANY($1) AND flag.xmin = intent.xmin)`;

/** What an operator asked for last, if the flags still stand as that wrote them. */
export async function readStandingIntent(
  client: Pick<PoolClient, 'query'>,
): Promise<Omit<PhaseIntent, 'at'> | undefined> {
  const [row] = await rows(client, STANDING, [FLAG_NAMES, FLAG_NAMES.length]);
  if (row === undefined) return undefined;
  const [actor, act, desired, reason] = row;
  return { actor, act, desired, reason } as Omit<PhaseIntent, 'at'>;
}
