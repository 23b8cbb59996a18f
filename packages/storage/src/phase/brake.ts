//   postgres-primary | postgres-only, PostgreSQL out of reach, both flags false by environment
//        ── pullBrake ──▶ json-primary at epoch + 2, ids skip 1,000,000, journal kept as outbox
//   PostgreSQL is back
//        ── seal it at its old epoch ─▶ journal to PostgreSQL (forks are listed) ─▶ difference to JSON
//        ─▶ PostgreSQL follows at JSON's epoch ─▶ the brake is forgotten
//
// The phase is `json-primary` although the flags ask for `json-only`: only the journal knows from
// which state a record was changed, and that is what tells a fork from a change. It ends when both
// sides were brought together.
import type { Item } from '../changes/index.ts';
import { bringUpToDate, describeDifferences } from '../consistency/index.ts';
import { isTandemError, TandemError } from '../errors.ts';
import type { Log } from '../log.ts';
import { perform } from './perform.ts';
import type { JsonPhaseState } from './phase-state.ts';
import { brakingOf, type StoreAct } from './switch-acts.ts';
import type { JsonSide, SwitchContext } from './switch-context.ts';

/** A store that becomes primary without having seen the other's high-water leaves this much room. */
const ID_SKIP = 1_000_000;
const CARRY_ITEMS = 1_000;

/**
 * The emergency brake: serves from JSON although PostgreSQL is the primary and can't be asked. The
 * caller holds the JSON lock, and made sure that no api process of this machine serves PostgreSQL.
 * @returns one sentence that says what JSON may lack
 */
export async function pullBrake(json: JsonSide, now: Date, log: Log): Promise<string> {
  const marks = await json.idHighWater();
  const skipped = Object.entries(marks).map(([name, mark]) => [name, mark + ID_SKIP] as const);
  // Before the brake stands: should this stop in between, the next try only skips further.
  await json.raiseIdHighWater(Object.fromEntries(skipped));
  const at = now.toISOString();
  await json.phase.update(brakingOf(json.phase.read(), { at, fromSeq: json.outbox.head() }));
  const sentence = brakeSentence(json.phase.read()) as string;
  const { epoch, braked } = json.phase.read();
  log.error({ epoch, lacksSince: braked?.lacksSince ?? null }, sentence);
  return sentence;
}

/** What an operator must know while the brake stands; `undefined` without it. */
export function brakeSentence({ braked, epoch }: JsonPhaseState): string | undefined {
  if (!braked) return undefined;
  const since =
    braked.lacksSince === null ? 'it is not known since when' : `since ${braked.lacksSince}`;
  return `EMERGENCY BRAKE: serving from JSON at epoch ${epoch}, pulled at ${braked.at}. PostgreSQL (${braked.phase}, epoch ${braked.epoch}) was the primary and can't be reached; JSON may lack what it acknowledged, ${since}.`;
}

/** Why no switch is made while the brake stands. */
export const WAITS_FOR_RETURN =
  'PostgreSQL to return, so that what it alone holds since the emergency brake can be brought over.';

/**
 * Brings both sides together after the brake. Nothing is overwritten: a record changed on both sides
 * keeps JSON's state in JSON and PostgreSQL's in PostgreSQL, and is listed as a fork. May be cut off
 * anywhere and done again.
 * @param acts of `mendingActsOf`: sealing PostgreSQL unless it is sealed, its following, forgetting
 * @throws {TandemError} when a store fails, or the journal since the brake is not complete
 */
export async function returnFromBrake(
  context: SwitchContext,
  acts: readonly StoreAct[],
): Promise<void> {
  const { json, postgres, collections, log, now, watch, signal, isAlone = false } = context;
  const { epoch } = await postgres.phase.read();
  const reason = 'PostgreSQL is back after the emergency brake';
  const [forget, follow, ...seal] = acts.toReversed();
  if (follow === undefined || forget === undefined) throw new Error('The brake is not over yet.');
  for (const act of seal) await perform({ ...context, reason }, act, { epoch });
  const forks = await carryJournal(context);
  const report = await bringUpToDate({
    ...{ source: postgres, target: json, collections, now, isLive: !isAlone },
    ...{ ...(watch && { watch }), ...(signal && { signal }) },
  });
  await json.raiseIdHighWater(await postgres.idHighWater());
  const evidence = { forks, broughtToJson: report.applied };
  if (!(await perform({ ...context, reason }, follow, { epoch, evidence }))) {
    throw new TandemError(
      'unavailable',
      'PostgreSQL moved on while both sides were brought together.',
    );
  }
  await perform(context, forget, { epoch });
  const told = `${report.applied} records came from PostgreSQL, ${forks} were changed on both sides and wait for a decision.`;
  log[forks > 0 ? 'error' : 'warn'](evidence, `The emergency brake is over: ${told}`);
  if (report.remaining > forks) {
    log.warn({ remaining: report.remaining }, `After the brake: ${describeDifferences(report)}.`);
  }
}

/** Applies what was written since the brake to PostgreSQL. @returns how many records forked */
async function carryJournal({ json, postgres }: SwitchContext): Promise<number> {
  const { outbox } = json;
  const head = outbox.head();
  const forked = new Set<string>();
  let covered = json.phase.read().braked?.fromSeq ?? 0;
  while (covered < head) {
    const entries = await readJournal(json, covered);
    const items = entries.map(({ item }) => item);
    const results = await postgres.apply(items);
    for (const [index, item] of items.entries()) {
      const verdict = results[index]?.verdict;
      if (verdict === 'fork' || verdict === 'conflict') forked.add(recordOf(item));
    }
    covered = entries.at(-1)?.seq ?? head;
  }
  return forked.size;
}

const recordOf = (item: Item): string =>
  item.kind === 'change' ? `${item.change.collection} ${item.change.id}` : item.key.key;

async function readJournal({ outbox }: JsonSide, after: number) {
  try {
    return await outbox.read(after, CARRY_ITEMS);
  } catch (error) {
    if (!isTandemError(error, 'refused-to-open')) throw error;
    throw new TandemError(
      'unavailable',
      'The journal since the emergency brake outgrew its bound, so forks can not be told from changes: the difference needs a decision.',
      { cause: error },
    );
  }
}
