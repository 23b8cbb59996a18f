//   difference (serving) ─▶ queue short (serving) ─▶ seal PostgreSQL ─▶ drain the queue ─▶ high-water
//        ─▶ COMMIT: manifest epoch + 1 ─▶ tell PostgreSQL ─▶ let go of the JSON lock
//   The api processes see the seal as "not primary" and hold their writes until one has the lock.
import { TandemError } from '../errors.ts';
import { within } from './deadline.ts';
import { failpoint } from './failpoint.ts';
import { closedGates, gatesOf } from './gates.ts';
import {
  beginPause,
  catchUpLive,
  type LiveContext,
  PAUSE_TIMEOUT_MS,
  type Pause,
} from './live-context.ts';
import { advance, type Refusal } from './steps.ts';

/** What the driver in the worker adds: it works the queue towards JSON. */
export interface DemoteContext extends LiveContext {
  /** Resolves true once nothing waits for JSON and nobody has a job in hand; false at the deadline. */
  readonly drained: (timeoutMs: number) => Promise<boolean>;
}

/** The drain's share of the pause. */
const DRAIN_SHARE = 0.8;
/** JSON is primary already, and requests wait for its lock: PostgreSQL's answer is not waited for longer. */
const TELL_TIMEOUT_MS = 500;

/**
 * 4 → 3 while requests come in. When it returns nothing, the manifest says JSON is primary, and the
 * caller lets go of the lock for an api process to take.
 * @throws {TandemError} when the pause took too long or a store failed; the seal is lifted, now or by
 *   the next who agrees the stores
 */
export async function promoteJson(context: DemoteContext): Promise<Refusal | undefined> {
  const { json, postgres, log } = context;
  const closed = closedGates(gatesOf(await context.facts()));
  if (closed !== undefined) return { waitingFor: closed };
  await failpoint('demote.before-difference');
  const incomplete = await catchUpLive(context, postgres, json);
  if (incomplete !== undefined) return { waitingFor: incomplete };
  const { epoch } = await postgres.phase.read();
  await failpoint('demote.before-seal');
  const pause = beginPause(context);
  try {
    await commit(context, epoch, pause);
  } catch (error) {
    if (json.phase.read().epoch === epoch) await advance(context, epoch, { sealed: false });
    throw error;
  }
  log.info(
    { pauseMs: pause.elapsedMs() },
    `Phase: JSON is primary; the drain took ${pause.elapsedMs()} ms.`,
  );
  return undefined;
}

async function commit(context: DemoteContext, epoch: number, pause: Pause): Promise<void> {
  const { json, postgres, queues } = context;
  await pause.wait(advance(context, epoch, { sealed: true }));
  await pause.wait(failpoint('demote.sealed'));
  const drainMs = DRAIN_SHARE * (context.pauseTimeoutMs ?? PAUSE_TIMEOUT_MS);
  if (!(await pause.wait(context.drained(drainMs)))) {
    throw new TandemError('unavailable', 'The queue towards JSON did not drain in time.');
  }
  // A change that failed for good while the queue drained is missing in JSON.
  const { deadLetters } = await pause.wait(context.facts());
  if (deadLetters > 0) {
    throw new TandemError('unavailable', `${deadLetters} changes failed while the queue drained.`);
  }
  await pause.wait(failpoint('demote.drained'));
  await pause.wait(postgres.idHighWater().then((marks) => json.raiseIdHighWater(marks)));
  await pause.wait(queues.beginRelay());
  const next = {
    epoch: epoch + 1,
    phase: 'json-primary' as const,
    sealed: false,
    catchUpSince: null,
  };
  await json.phase.update(next);
  await failpoint('demote.json-committed');
  // From here on it has happened. Should telling fail, whoever opens the JSON store next tells it.
  const told = advance(context, epoch, next, { pauseMs: pause.elapsedMs() });
  await within(TELL_TIMEOUT_MS, 'Telling PostgreSQL that JSON is primary', told);
  await failpoint('demote.postgres-told');
}
