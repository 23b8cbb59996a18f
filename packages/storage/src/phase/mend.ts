import { TandemError } from '../errors.ts';
import { returnFromBrake } from './brake.ts';
import { meetAgain } from './meet-again.ts';
import { type PhaseFacts, type Reconciliation, reconcile } from './reconcile.ts';
import type { JsonSide, SwitchContext } from './switch-context.ts';

/** A state needs at most three acts (commit, tell, lift); more means that two drivers fight. */
const ACTS_MAX = 8;

type Act = Exclude<Reconciliation['act'], 'none' | 'refuse'>;

/**
 * Makes two reachable stores agree on the phase, after whatever happened to the processes before, and
 * recognises one that was put back meanwhile.
 * @throws {TandemError} `mismatched-stores` or `unavailable`, as `reconcile` decided
 */
export async function mend(context: SwitchContext, jsonIsBlank: boolean): Promise<void> {
  for (let acts = 0; acts < ACTS_MAX; acts += 1) {
    const postgres = await context.postgres.phase.read();
    const facts = { json: context.json.phase.read(), jsonIsBlank, postgres };
    const next = reconcile(facts);
    if (next.act === 'none') {
      await meetAgain(context);
      return;
    }
    if (next.act === 'refuse') throw new TandemError(next.code, next.sentence);
    context.log.info({ act: next.act }, `Phase: ${SENTENCES[next.act]}`);
    await carryOut(context, next, { ...facts, postgres });
  }
  throw new TandemError('unavailable', 'The two stores did not come to agree on the phase.');
}

/**
 * The same while PostgreSQL can't be asked: says whether JSON can be served by what it knows alone.
 * @throws {TandemError} `unavailable` when it can't
 */
export async function mendAlone(json: JsonSide, jsonIsBlank: boolean): Promise<void> {
  const next = reconcile({ json: json.phase.read(), jsonIsBlank, postgres: null });
  if (next.act === 'refuse') throw new TandemError(next.code, next.sentence);
  if (next.act === 'lift-json-seal') await json.phase.update({ sealed: false });
}

const SENTENCES: Readonly<Record<Act, string>> = {
  pair: 'the database is paired with this JSON store.',
  join: 'this blank JSON store joins the database as its secondary.',
  'tell-json': 'the JSON store is told the phase that PostgreSQL is in.',
  'tell-postgres': 'PostgreSQL is told the phase that the JSON store is in.',
  'abort-commit': 'a switch to PostgreSQL that was not committed is undone.',
  'lift-json-seal': 'the seal of an unfinished switch is lifted from the JSON store.',
  'lift-postgres-seal': 'the seal of an unfinished switch is lifted from PostgreSQL.',
  'return-from-brake':
    'PostgreSQL is back after the emergency brake; both sides are brought together.',
  'forget-brake': 'the emergency brake is over.',
};

async function carryOut(
  context: SwitchContext,
  next: Reconciliation,
  facts: PhaseFacts & { postgres: NonNullable<PhaseFacts['postgres']> },
): Promise<void> {
  const { json, postgres, actor, now } = context;
  const { json: ours, postgres: theirs } = facts;
  const since = now().toISOString();
  const move = { actor, reason: next.act, evidence: { json: ours, postgres: theirs } };
  switch (next.act) {
    case 'pair':
      // The mark first: should this stop in between, pairing again only costs a second look.
      if (ours.phase === 'json-primary') {
        await json.phase.update({ catchUpSince: ours.catchUpSince ?? since });
      }
      await postgres.phase.advance(
        theirs.epoch,
        { pairId: ours.pairId, epoch: ours.epoch, phase: ours.phase, sealed: false },
        move,
      );
      return;
    case 'join':
      if (theirs.phase === 'postgres-primary') {
        const catchUpSince = theirs.catchUpSince ?? since;
        await postgres.phase.advance(theirs.epoch, { catchUpSince }, move);
      }
      await json.phase.update({
        pairId: theirs.pairId as string,
        epoch: theirs.epoch,
        phase: theirs.phase,
      });
      return;
    case 'tell-json':
      await json.phase.update({
        epoch: theirs.epoch,
        phase: theirs.phase,
        sealed: false,
        committing: null,
      });
      return;
    case 'tell-postgres':
      await postgres.phase.advance(
        theirs.epoch,
        { epoch: ours.epoch, phase: ours.phase, sealed: false, catchUpSince: null },
        move,
      );
      return;
    case 'abort-commit':
      await postgres.phase.advance(
        theirs.epoch,
        { epoch: next.epoch, phase: ours.phase, sealed: false },
        move,
      );
      return;
    case 'lift-json-seal':
      await json.phase.update({ sealed: false });
      return;
    case 'lift-postgres-seal':
      await postgres.phase.advance(theirs.epoch, { sealed: false }, move);
      return;
    case 'return-from-brake':
      await returnFromBrake(context, theirs);
      return;
    case 'forget-brake':
      await json.phase.update({ braked: null });
      return;
    case 'none':
    case 'refuse':
      return;
  }
}
