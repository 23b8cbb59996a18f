import { describeNewer, findNewer } from '../consistency/index.ts';
import { waiting as waits } from '../counted.ts';
import { TandemError } from '../errors.ts';
import type { PhaseMove } from './phase-state.ts';
import { primaryOf, type StoreName } from './phases.ts';
import { type MeetingFacts, recognise, refusalOf } from './recognise.ts';
import type { SwitchContext } from './switch-context.ts';

/**
 * Recognises a store that was put back behind what the other has seen of it (I12), and lets each
 * remember how far the other is. Nothing is overwritten: a stale secondary is marked to be brought up
 * by difference; a stale primary goes on only if the secondary holds nothing that it lacks.
 * @returns `catch-up` when that mark was set now
 * @throws {TandemError} `mismatched-stores` with the way out; `unavailable` while it can't be told
 */
export async function meetAgain(context: SwitchContext): Promise<'known' | 'catch-up'> {
  const { json, postgres, log } = context;
  const state = json.phase.read();
  const facts: MeetingFacts = {
    json: state,
    jsonPosition: json.outbox.position(),
    postgres: await postgres.phase.acquaintance(state.pairId),
  };
  const recognition = recognise(facts);
  if (recognition.act === 'compare') {
    const { primary } = recognition;
    await requireNothingMissing(context, primary);
    log.warn(
      { seen: evidenceOf(facts) },
      `The primary (${primary}) was restored or moved; the other store holds nothing that it lacks.`,
    );
    await mark(context, facts);
    await raiseIds(context, primary);
    // The journal of a restored folder counts on from an older place.
    if (primary === 'json') await context.queues.beginRelay();
  } else if (recognition.act === 'catch-up') {
    log.warn({ seen: evidenceOf(facts) }, recognition.sentence);
    await mark(context, facts);
  }
  await remember(context, facts);
  return recognition.act === 'known' ? 'known' : 'catch-up';
}

const evidenceOf = ({ json, jsonPosition, postgres }: MeetingFacts) => ({
  json: { here: jsonPosition, seen: postgres.seenJson },
  postgres: { here: postgres.here, seen: json.seenPostgres ?? null },
});

/** Says durably, in the primary, that the secondary must be brought up by difference. */
async function mark(context: SwitchContext, facts: MeetingFacts): Promise<void> {
  const { json, postgres, actor, now } = context;
  const since = now().toISOString();
  if (primaryOf(facts.json.phase) === 'json') {
    await json.phase.update({ catchUpSince: facts.json.catchUpSince ?? since });
    return;
  }
  const { epoch, catchUpSince } = await postgres.phase.read();
  const reason = 'a store was restored';
  const move: PhaseMove = { actor, reason, evidence: evidenceOf(facts) };
  await postgres.phase.advance(epoch, { catchUpSince: catchUpSince ?? since }, move);
}

/** Each remembers the other. A journal's relay keeps PostgreSQL's memory itself, with each batch. */
async function remember({ json, postgres }: SwitchContext, facts: MeetingFacts): Promise<void> {
  const { phase, pairId, seenPostgres } = facts.json;
  const { here } = facts.postgres;
  const { seenJson } = facts.postgres;
  const position = json.outbox.position();
  const hasMoved = seenJson?.session !== position.session || seenJson.batch !== position.batch;
  if (phase === 'postgres-primary' && hasMoved) await postgres.phase.noteJson(pairId, position);
  const isNew = seenPostgres?.identity !== here.identity || seenPostgres.walBytes !== here.walBytes;
  const isFollowed = phase === 'json-primary' || phase === 'postgres-primary';
  if (isFollowed && isNew) await json.phase.update({ seenPostgres: here });
}

/** Ids that only the secondary knows to have been given are not given again (I9). */
async function raiseIds({ json, postgres }: SwitchContext, primary: StoreName): Promise<void> {
  if (primary === 'json') await json.raiseIdHighWater(await postgres.idHighWater());
  else await postgres.raiseIdHighWater(await json.idHighWater());
}

async function requireNothingMissing(context: SwitchContext, primary: StoreName): Promise<void> {
  const { json, postgres, queues, collections } = context;
  if (primary === 'json') {
    const waiting = await queues.waiting('postgres');
    if (waiting > 0) {
      throw new TandemError(
        'unavailable',
        `The JSON store may have been restored from an older copy. ${waits(waiting)} in the queue to PostgreSQL; when the worker is done with the queue, it can be told what JSON lacks.`,
      );
    }
  }
  const [source, target] = primary === 'json' ? [json, postgres] : [postgres, json];
  const newer = await findNewer(source, target, collections);
  if (newer.count === 0) return;
  const detail = { primary, missing: newer.count };
  throw new TandemError('mismatched-stores', refusalOf(primary, describeNewer(newer)), { detail });
}
