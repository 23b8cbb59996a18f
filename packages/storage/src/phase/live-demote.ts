//   difference (serving) ─▶ queue short (serving) ─▶ seal PostgreSQL ─▶ drain the queue ─▶ compare
//        ─▶ high-water ─▶ COMMIT: manifest epoch + 1, and PostgreSQL told ─▶ let go of the JSON lock
//   The api processes see the seal as "not primary" and hold their writes until one has the lock.
//   What follows what, and what undoes it, stands in `switch-table.ts`.
import { counted } from '../counted.ts';
import { TandemError } from '../errors.ts';
import { compareHeads } from './compare-heads.ts';
import { failpoint } from './failpoint.ts';
import { closedGates, DEAD_LETTERS_WAY_OUT, gatesOf, gateValues } from './gates.ts';
import {
  beginPause,
  catchUpLive,
  type LiveContext,
  PAUSE_TIMEOUT_MS,
  type Pause,
} from './live-context.ts';
import { asksFor, moveTo, type Refusal } from './move.ts';

/** What the driver in the worker adds: it works the queue towards JSON. */
export interface DemoteContext extends LiveContext {
  /** Resolves true once nothing waits for JSON and nobody has a job in hand; false at the deadline. */
  readonly drained: (timeoutMs: number) => Promise<boolean>;
}

/** The drain's share of the pause. */
const DRAIN_SHARE = 0.8;

/**
 * 4 → 3 while requests come in. When it returns nothing, the manifest says JSON is primary, and the
 * caller lets go of the lock for an api process to take.
 * @returns why it was not done
 * @throws {TandemError} when the pause took too long or a store failed; the seal is lifted, now or by
 *   the next who agrees the stores
 */
export async function promoteJson(context: DemoteContext): Promise<Refusal | undefined> {
  const { json, postgres, log, desiredBy } = context;
  let gates: Record<string, unknown> = {};
  let pause: Pause | undefined;
  /** Everything written before it is seen by the difference. */
  let position = '';
  const elapsedMs = () => pause?.elapsedMs() ?? 0;
  const bounded = <T>(act: Promise<T>): Promise<T> => pause?.wait(act) ?? act;
  const refusal = await moveTo('json-primary', context, {
    prepare: async () => {
      const measured = gatesOf(await context.facts());
      gates = gateValues(measured);
      const closed = closedGates(measured);
      if (closed !== undefined) return { waitingFor: closed };
      await failpoint('demote.before-difference');
      position = await postgres.written.position();
      const incomplete = await catchUpLive(context, postgres, json);
      if (incomplete !== undefined) return { waitingFor: incomplete };
      await failpoint('demote.before-seal');
      pause = beginPause(context);
      return undefined;
    },
    after: {
      sealing: () => bounded(failpoint('demote.sealed')),
      committing: () => failpoint('demote.json-committed'),
      telling: () => failpoint('demote.postgres-told'),
    },
    drain: () => drain(context, position, bounded),
    bounded,
    isWanted: asksFor('postgres-primary', 'json-primary', desiredBy),
    evidence: () => ({ gates, pauseMs: elapsedMs() }),
  });
  if (refusal === undefined) {
    const pauseMs = elapsedMs();
    context.observer?.switched({ to: 'json', pauseMs });
    log.info({ pauseMs }, `Phase: JSON is primary; the drain took ${pauseMs} ms.`);
  }
  return refusal;
}

async function drain(
  context: DemoteContext,
  position: string,
  bounded: <T>(act: Promise<T>) => Promise<T>,
): Promise<Refusal | undefined> {
  const { json, postgres, queues, pauseTimeoutMs = PAUSE_TIMEOUT_MS } = context;
  if (!(await bounded(context.drained(DRAIN_SHARE * pauseTimeoutMs)))) {
    throw new TandemError('unavailable', 'The queue towards JSON did not drain in time.');
  }
  // A change that failed for good while the queue drained is missing in JSON.
  const facts = await bounded(context.facts());
  const { deadLetters } = facts;
  if (deadLetters > 0) {
    return {
      waitingFor: `${counted(deadLetters, 'change')} failed while the queue drained: ${DEAD_LETTERS_WAY_OUT}.`,
    };
  }
  // A verify that ran meanwhile has dealt with its marks: what it found stands in the ledger.
  const closed = closedGates(gatesOf(facts));
  if (closed !== undefined) return { waitingFor: closed };
  await bounded(failpoint('demote.drained'));
  await bounded(compareWritten(context, position));
  await bounded(postgres.idHighWater().then((marks) => json.raiseIdHighWater(marks)));
  await bounded(queues.beginRelay());
  return undefined;
}

/** That the queue is empty says nothing of a job that never was in it, or was lost from it. */
async function compareWritten(
  { json, postgres, collections }: DemoteContext,
  position: string,
): Promise<void> {
  await compareHeads(postgres, json, collections, await postgres.written.since(position));
}
