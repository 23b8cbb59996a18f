import { randomUUID } from 'node:crypto';
import { isTandemError, sentenceOf, TandemError } from '../errors.ts';
import { WAITS_FOR_RETURN } from './brake.ts';
import { within } from './deadline.ts';
import { type AgreeContext, agreeingActs } from './mend.ts';
import { moveOf, perform } from './perform.ts';
import type { PhaseGuard } from './phase-state.ts';
import { nextPhase, type Phase, primaryOf } from './phases.ts';
import { actsOf, type Move, type MoveActs, type PostgresChange } from './switch-acts.ts';
import type { SwitchEnd, SwitchMachine } from './switch-machine.ts';
import type { EventIn, SwitchState } from './switch-table.ts';

/** A step that was not taken, and what stands in the way. The stores are as before. */
export interface Refusal {
  readonly waitingFor: string;
}

/** `postgres` may be missing for a move that JSON makes alone. */
export interface MoveContext extends AgreeContext {
  readonly machine: SwitchMachine;
}

/** What one kind of move does between the durable acts. */
export interface MoveWork {
  /** Gates and difference, while the old primary serves. */
  readonly prepare?: () => Promise<Refusal | undefined>;
  /** Carries over what was sealed. */
  readonly drain?: () => Promise<Refusal | undefined>;
  /** Whether the flags' rows still ask for it; asked right before the commit. */
  readonly isWanted?: PhaseGuard;
  /** Bounds an act that requests wait for. */
  readonly bounded?: <T>(act: Promise<T>) => Promise<T>;
  /** Before the acts of a state. */
  readonly before?: Partial<Record<SwitchState, () => unknown>>;
  /** After the acts of a state. */
  readonly after?: Partial<Record<SwitchState, () => Promise<unknown>>>;
  /** What was seen, for the history. */
  readonly evidence?: () => Readonly<Record<string, unknown>>;
}

/** Whether flags, resolved as this process would, ask for a move from one phase towards the other. */
export const asksFor =
  (from: Phase, to: Phase, resolve: (rows: Parameters<PhaseGuard>[0]) => Phase): PhaseGuard =>
  (rows) =>
    nextPhase(from, resolve(rows)) === to;

/**
 * Moves to a neighbouring phase by the table in `switch-table.ts`.
 * @returns why it was not done; `undefined` when it was
 * @throws {TandemError} what made it fail: everything is as before, unless the answer to the commit is
 *   still unknown or a seal could not be lifted (the machine then rests in `unknown` or `stopped`)
 */
export async function moveTo(
  to: Phase,
  context: MoveContext,
  work: MoveWork = {},
): Promise<Refusal | undefined> {
  const run = await MoveRun.begin(to, context, work);
  const end = await context.machine.move(run.acts());
  return run.result(end);
}

/** JSON is primary already, and requests wait for its lock: PostgreSQL's answer is not waited for longer. */
const TELL_TIMEOUT_MS = 500;

const CANCELLED = 'The flags do not ask for it any more: the switch was undone before its commit.';

class MoveRun {
  readonly #context: MoveContext;
  readonly #work: MoveWork;
  readonly #move: Move;
  readonly #acts: MoveActs;
  readonly #beganMs = performance.now();
  /** What this run did itself needs no second look. */
  #isSettled = false;
  #isDone = false;
  #refusal: Refusal | undefined;

  static async begin(to: Phase, context: MoveContext, work: MoveWork): Promise<MoveRun> {
    const { json, postgres, now } = context;
    const state = json.phase.read();
    const inPostgres = primaryOf(state.phase) === 'postgres' && postgres !== null;
    const { phase: from, epoch } = inPostgres ? await postgres.phase.read() : state;
    const since = state.catchUpSince ?? now().toISOString();
    return new MoveRun(context, work, { from, to, epoch, attempt: randomUUID(), since });
  }

  private constructor(context: MoveContext, work: MoveWork, move: Move) {
    this.#context = context;
    this.#work = work;
    this.#move = move;
    this.#acts = actsOf(move);
  }

  acts(): Parameters<SwitchMachine['move']>[0] {
    const agreeing = agreeingActs(this.#context, false);
    return {
      ...agreeing,
      'catching-up': () => this.#in('catching-up', () => this.#prepare()),
      sealing: () => this.#in('sealing', () => this.#act('sealing', 'sealed')),
      draining: () => this.#in('draining', () => this.#drain()),
      marking: () => this.#in('marking', () => this.#act('marking', 'marked')),
      committing: () => this.#commit(),
      telling: () => (this.#isDone ? this.#in('telling', () => this.#tell()) : agreeing.telling()),
      lifting: () =>
        this.#isDone ? agreeing.lifting() : this.#in('lifting', () => this.#lift(agreeing.lifting)),
      looking: async () => (this.#isSettled ? 'agreed' : agreeing.looking()),
    };
  }

  /** @throws what made it fail */
  result({ state, failure }: SwitchEnd): Refusal | undefined {
    if (failure !== undefined && !isTandemError(failure)) throw failure;
    if (this.#context.json.phase.read().phase === this.#move.to) return undefined;
    if (state === 'braked') return { waitingFor: WAITS_FOR_RETURN };
    if (this.#refusal !== undefined) return this.#refusal;
    throw failure ?? new TandemError('unavailable', 'The switch came to no end.');
  }

  async #in<E>(state: SwitchState, act: () => Promise<E>): Promise<E> {
    const { before, after } = this.#work;
    this.#isSettled = false;
    await before?.[state]?.();
    const event = await act();
    await after?.[state]?.();
    return event;
  }

  async #prepare(): Promise<EventIn<'catching-up'>> {
    this.#refusal = await this.#work.prepare?.();
    if (this.#refusal !== undefined) return 'gates-closed';
    return this.#acts.sealing === null ? 'keeps-primary' : 'caught-up';
  }

  async #act<E>(state: 'sealing' | 'marking', event: E): Promise<E> {
    const act = this.#acts[state];
    if (act === null) throw new Error(`From ${this.#move.from} there is no ${state}.`);
    // A mark is not left alone: whether it stands decides what may be undone.
    const bounded = state === 'sealing' ? this.#work.bounded : undefined;
    const done = this.#perform(act);
    if (!(await (bounded?.(done) ?? done))) throw movedByAnother();
    return event;
  }

  async #drain(): Promise<EventIn<'draining'>> {
    this.#refusal = await this.#work.drain?.();
    if (this.#refusal !== undefined) return 'incomplete';
    return this.#acts.marking === null ? 'drained-to-json' : 'drained-to-postgres';
  }

  async #commit(): Promise<EventIn<'committing'>> {
    const { committing, telling } = this.#acts;
    const { before, after, isWanted } = this.#work;
    this.#isSettled = false;
    await before?.committing?.();
    let isRefused = false;
    const guard: PhaseGuard = (rows) => {
      isRefused = isWanted?.(rows) === false;
      return !isRefused;
    };
    const isHandedOver = committing.store === 'json' && telling?.store === 'postgres';
    const done = isHandedOver
      ? await this.#commitAndTell(telling.change, guard)
      : (await this.#perform(committing, guard)) && 'committed';
    if (done !== false) {
      this.#isDone = true;
      this.#isSettled = done === 'told';
      await after?.[done === 'told' ? 'telling' : 'committing']?.();
      return done;
    }
    if (!isRefused) throw movedByAnother();
    this.#refusal = { waitingFor: CANCELLED };
    return 'cancelled';
  }

  /** Towards JSON PostgreSQL is told in the same transaction: whoever cancels sees one or the other. */
  async #commitAndTell(
    change: PostgresChange,
    guard: PhaseGuard,
  ): Promise<'committed' | 'told' | false> {
    const { postgres, log } = this.#context;
    if (postgres === null) throw new Error('PostgreSQL is needed.');
    let isCommitted = false;
    const late = Promise.withResolvers<'committed'>();
    const commit = async () => {
      await this.#perform(this.#acts.committing);
      isCommitted = true;
      await this.#work.after?.committing?.();
      setTimeout(() => late.resolve('committed'), TELL_TIMEOUT_MS).unref();
    };
    const told = moveOf(this.#context, this.#evidence());
    const { epoch } = this.#move;
    try {
      const done = postgres.phase.advanceAfter(commit, epoch, change, told, guard);
      return await Promise.race([late.promise, done.then((isTold) => isTold && 'told')]);
    } catch (error) {
      if (!isCommitted) throw error;
      const fields = { error: sentenceOf(error) };
      log.debug(fields, 'Phase: committed in JSON; PostgreSQL is still to be told.');
      return 'committed';
    }
  }

  async #tell(): Promise<EventIn<'telling'>> {
    const { telling } = this.#acts;
    if (telling?.store === 'json') await this.#perform(telling);
    else if (telling !== null) {
      await within(TELL_TIMEOUT_MS, 'Telling PostgreSQL', this.#perform(telling));
    }
    this.#isSettled = true;
    return 'told';
  }

  async #lift(otherwise: () => Promise<EventIn<'lifting'>>): Promise<EventIn<'lifting'>> {
    const { lifting } = this.#acts;
    if (lifting === null) return otherwise();
    await this.#perform(lifting);
    this.#isSettled = true;
    return 'lifted';
  }

  #perform(act: NonNullable<MoveActs[keyof MoveActs]>, guard?: PhaseGuard): Promise<boolean> {
    const { epoch } = this.#move;
    const isCommit = act === this.#acts.committing || act === this.#acts.telling;
    const evidence = isCommit ? this.#evidence() : {};
    return perform(this.#context, act, { epoch, evidence, ...(guard && { guard }) });
  }

  #evidence(): Readonly<Record<string, unknown>> {
    const durationMs = Math.round(performance.now() - this.#beganMs);
    return { ...this.#work.evidence?.(), durationMs };
  }
}

const movedByAnother = (): TandemError =>
  new TandemError('unavailable', 'Another process moved the phase at the same time.');
