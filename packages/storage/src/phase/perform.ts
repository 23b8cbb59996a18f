import { isTandemError } from '../errors.ts';
import type { PhaseGuard, PhaseMove } from './phase-state.ts';
import type { StoreAct } from './switch-acts.ts';
import type { PostgresSide, SwitchContext } from './switch-context.ts';

/** Beside an act: the epoch PostgreSQL must still be in, and what the history keeps. */
interface Performing {
  readonly epoch: number;
  readonly evidence?: Readonly<Record<string, unknown>>;
  /** Refuses a change of PostgreSQL's row at the last moment. */
  readonly guard?: PhaseGuard;
}

/**
 * Does one durable act of a switch.
 * @returns false when PostgreSQL's row was moved by another process first, or the guard refused
 * @throws {TandemError} `outcome-unknown` when it may have happened; whatever the store throws
 */
export async function perform(
  context: Omit<SwitchContext, 'postgres'> & { readonly postgres: PostgresSide | null },
  act: StoreAct,
  { epoch, evidence = {}, guard }: Performing,
): Promise<boolean> {
  const { json, postgres, machine } = context;
  if (act.store === 'json') {
    try {
      await json.phase.update(act.change);
    } catch (error) {
      if (machine !== undefined && isTandemError(error, 'outcome-unknown')) {
        machine.jsonInDoubt = true;
      }
      throw error;
    }
    return true;
  }
  if (postgres === null) throw new Error('PostgreSQL is needed.');
  return postgres.phase.advance(epoch, act.change, moveOf(context, evidence), guard);
}

export const moveOf = (
  { actor, reason }: Pick<SwitchContext, 'actor' | 'reason'>,
  evidence: Readonly<Record<string, unknown>>,
): PhaseMove => ({ actor, reason, evidence });
