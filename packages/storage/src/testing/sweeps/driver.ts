//   action ──> calls to the store (perhaps failing, perhaps killed) ──> model and expectation follow
//   acknowledged: the state counts ── refused: it never was ── unknown, killed: the store says which
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { Collection } from '../../collections/index.ts';
import { isTandemError, sentenceOf } from '../../errors.ts';
import { type JsonStore, openJsonStore, type Pace } from '../../json/index.ts';
import { acceptsWrites } from '../../json/stage.ts';
import type { JsonPhaseState } from '../../phase/index.ts';
import { below, randomFrom } from '../seeded-random.ts';
import type { SimulatedMachine, SimulatedProcess } from '../simulated-file-system.ts';
import { compact, ExpectationKeeper } from './expectation.ts';
import { answerOf, type GroupAnswer, sendGroup } from './group.ts';
import { contentText, phaseText, StoreModel } from './model.ts';
import { DIRECTORY, editByHand } from './place.ts';
import { differenceOf, Violation } from './violation.ts';
import { untilServing, withDeadline } from './waiting.ts';
import { type Action, phaseChange, TaskMaker, type Workload } from './workload.ts';

const OPEN_ATTEMPTS_MAX = 4;
/** Repeatable from a seed: a group stays one batch; every other workload overlaps batches. */
const paceOf = (seed: number): Pace => ({
  ...{ overlaps: () => seed % 2 === 0, halves: () => false, synced: () => {} },
});
/** Turns of the event loop that a checkpoint gets before its process is killed. */
const KILL_TURNS_MAX = 40;

export interface DriverHooks {
  /** Told whenever what a crash may leave has changed without any file operation. */
  readonly expectationChanged?: () => void;
  /** Told that a call failed; faults that last may be lifted. */
  readonly trouble?: () => void;
  /** Whether calls may fail at all. */
  readonly faulty?: boolean;
}

interface Group {
  readonly after: StoreModel;
  readonly answer: Promise<GroupAnswer>;
}

/** Runs one workload on one simulated machine. */
export class Driver {
  readonly keeper: ExpectationKeeper;
  readonly #workload: Workload;
  readonly #machine: SimulatedMachine;
  readonly #collections: readonly Collection[];
  readonly #hooks: DriverHooks;
  readonly #random: () => number;
  readonly #tasks: TaskMaker;
  readonly #pace: Pace;
  #process: SimulatedProcess;
  #store: JsonStore | undefined;
  #model: StoreModel | undefined;
  #milliseconds = Date.parse('2026-01-01T00:00:00Z');

  constructor(
    workload: Workload,
    machine: SimulatedMachine,
    collections: readonly Collection[],
    hooks: DriverHooks = {},
  ) {
    this.#workload = workload;
    this.#machine = machine;
    this.#collections = collections;
    this.#hooks = hooks;
    this.#random = randomFrom(workload.seed + 1);
    this.#tasks = new TaskMaker(this.#random, collections);
    this.#process = machine.process();
    this.#pace = paceOf(workload.seed);
    const legacy = collections.flatMap(({ name, file }) => {
      const text = workload.legacy?.[file];
      return text === undefined ? [] : [[name, compact(text)] as const];
    });
    this.keeper = new ExpectationKeeper(collections, Object.fromEntries(legacy), legacy.length > 0);
  }

  get store(): JsonStore {
    if (this.#store === undefined) throw new Error('The store is not open.');
    return this.#store;
  }
  get #state(): StoreModel {
    if (this.#model === undefined) throw new Error('There is no model yet.');
    return this.#model;
  }

  async run(): Promise<void> {
    await this.#open();
    for (const action of this.#workload.actions) await this.#perform(action);
    await this.#reopen();
    await this.#close();
  }

  async #perform(action: Action): Promise<void> {
    switch (action.kind) {
      case 'phase':
        return this.#changePhase(phaseChange(action.step, this.#state.phase));
      case 'checkpoint':
        return this.#checkpoint();
      case 'reopen':
        return this.#reopen();
      case 'kill':
        return this.#kill();
      case 'relay': {
        const seq = below(this.#random, this.store.outbox.head() + 1);
        this.keeper.relayed(seq);
        this.store.outbox.relayed(seq);
        return;
      }
      case 'foreign-edit':
        return this.#editForeign();
      default:
        if (!acceptsWrites(this.#state.phase) && this.#random() < 0.7) {
          await this.#changePhase({ sealed: false, committing: null, phase: 'json-primary' });
        }
        return this.#groups(action.kind);
    }
  }

  async #groups(kind: Action['kind']): Promise<void> {
    const first = this.#submit(this.#state, [this.#state]);
    if (kind === 'group') return this.#settle([first]);
    if (kind === 'group-in-checkpoint') {
      return this.#checkpoint(async () => {
        await this.#settle([first]);
        await this.#settle([this.#submit(this.#state, [this.#state])]);
      });
    }
    // What follows a refused group would not be what the model says.
    if (this.#hooks.faulty && kind === 'two-groups') return this.#settle([first]);
    // The first is under way once its batch was taken from the queue.
    for (let turns = 0; turns < 4; turns++) await Promise.resolve();
    const second = this.#hooks.faulty
      ? first
      : this.#submit(first.after, this.keeper.current.states);
    if (kind === 'two-groups') return this.#settle([first, second]);
    const turns = below(this.#random, 8);
    for (let turn = 0; turn < turns; turn++) {
      await (this.#random() < 0.5 ? Promise.resolve() : nextTurn());
    }
    return this.#kill();
  }

  /** Sends a group of tasks; the expectation follows by itself. */
  #submit(base: StoreModel, states: readonly StoreModel[]): Group {
    const tasks = this.#tasks.group(base);
    const after = base.clone();
    const expected = tasks.map((task) => answerOf(after, task));
    this.#expect([...states, after]);
    const answer = sendGroup(this.store, tasks, expected, {
      failed: (error) => this.#failed(error),
      acknowledged: () => this.#acknowledge(after),
    });
    return { after, answer };
  }

  /** @returns what a call that failed means for what it would have done */
  #failed(error: unknown): 'refused' | 'unknown' {
    if (this.#hooks.faulty) {
      if (isTandemError(error, 'outcome-unknown')) return 'unknown';
      if (isTandemError(error, 'storage-full') || isTandemError(error, 'storage-failed')) {
        return 'refused';
      }
    }
    throw new Violation(`A call failed: ${sentenceOf(error)}`, { cause: error });
  }

  #acknowledge(state: StoreModel): void {
    const { states } = this.keeper.current;
    const index = states.indexOf(state);
    // Two groups that shared a batch may be answered the other way round: the later one said it all.
    if (index < 0) return;
    this.#model = state;
    this.#expect(states.slice(index));
  }

  #expect(states: readonly StoreModel[]): void {
    this.keeper.states(states);
    this.#hooks.expectationChanged?.();
  }

  async #settle(groups: readonly Group[]): Promise<void> {
    const answers = await withDeadline(Promise.all(groups.map(({ answer }) => answer)));
    if (answers.every((answer) => answer === 'acknowledged')) return;
    if (!answers.includes('unknown')) this.#expect([this.#state]);
    await this.#trouble();
  }

  /** After a failed call: reads go on; the fault may be lifted; then the store must serve again. */
  async #trouble(): Promise<void> {
    await this.#readsGoOn();
    this.#hooks.trouble?.();
    await untilServing(this.store);
    await this.#resolve();
  }

  async #readsGoOn(): Promise<void> {
    const content = await contentText(this.#collections, this.store);
    if (this.keeper.current.states.some((state) => state.text() === content)) return;
    throw new Violation('Reads give another state than those that are known.');
  }

  /** What was unknown is known from the store itself: from now on that counts. */
  async #resolve(): Promise<void> {
    const content = await contentText(this.#collections, this.store);
    const state = this.keeper.current.states.find((one) => one.text() === content);
    if (state === undefined) {
      const allowed = this.keeper.current.states.map((one) => one.text());
      throw new Violation(differenceOf(content, allowed));
    }
    const phase = phaseText(this.store.phase.read());
    if (!this.keeper.current.phases.includes(phase)) {
      throw new Violation(`Recovered to the phase ${phase}.`);
    }
    this.#model = state;
    state.setPhase(this.store.phase.read());
    this.keeper.phases([phase]);
    this.#expect([state]);
  }

  async #changePhase(change: Partial<JsonPhaseState>): Promise<void> {
    const next = { ...this.store.phase.read(), ...change };
    this.keeper.phases([phaseText(this.#state.phase), phaseText(next)]);
    this.#hooks.expectationChanged?.();
    try {
      await withDeadline(this.store.phase.update(change));
      this.#state.setPhase(this.store.phase.read());
      this.keeper.phases([phaseText(this.#state.phase)]);
      this.#hooks.expectationChanged?.();
    } catch (error) {
      if (this.#failed(error) === 'refused') this.keeper.phases([phaseText(this.#state.phase)]);
      await this.#trouble();
    }
  }

  /** @param meanwhile what else is done while it runs */
  async #checkpoint(meanwhile?: () => Promise<void>): Promise<void> {
    const state = this.#state;
    const ended = withDeadline(this.store.checkpoint()).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    await meanwhile?.();
    const failed = await ended;
    if (failed !== undefined) {
      this.#failed(failed.error);
      await this.#trouble();
      return;
    }
    this.keeper.checkpointed(state);
    this.#hooks.expectationChanged?.();
  }

  #editForeign(): void {
    if (this.keeper.current.foreign !== undefined) return;
    // Whatever the edit replaces was replaced before it, also on the disk.
    editByHand(this.#machine.disk, (text) => this.keeper.foreign(text));
    this.#hooks.expectationChanged?.();
  }

  async #reopen(): Promise<void> {
    await this.#close();
    await this.#open();
  }

  async #close(): Promise<void> {
    const failure = await withDeadline(this.store.close()).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
    this.#store = undefined;
    // When the last checkpoint fails the journal has it all.
    if (failure === undefined) this.keeper.checkpointed(this.#state);
    else {
      this.#failed(failure.error);
      this.#hooks.trouble?.();
    }
    this.#hooks.expectationChanged?.();
    this.#process.kill();
  }

  async #kill(): Promise<void> {
    if (this.#random() < 0.5) {
      // Killed, it never answers; refused, it matters as little here.
      this.store.checkpoint().catch((error: unknown) => this.#failed(error));
      const turns = below(this.#random, KILL_TURNS_MAX);
      for (let turn = 0; turn < turns; turn++) {
        await (this.#random() < 0.5 ? Promise.resolve() : nextTurn());
      }
    }
    this.#process.kill();
    this.#store = undefined;
    await this.#open();
  }

  async #open(): Promise<void> {
    const { journalBytesMax, checkpointAfterBytes, journalRoom } = this.#workload;
    for (let attempt = 1; this.#store === undefined; attempt++) {
      this.#process = this.#machine.process();
      try {
        const opening = openJsonStore({
          ...{ directory: DIRECTORY, collections: this.#collections },
          ...{ journalBytesMax, checkpointAfterBytes, journalRoom },
          fileSystem: this.#process.fileSystem,
          now: () => this.#milliseconds++,
          pace: this.#pace,
        });
        this.#store = await withDeadline(opening);
      } catch (error) {
        this.#process.kill();
        if (attempt === OPEN_ATTEMPTS_MAX || !isTandemError(error, 'refused-to-open')) {
          this.#failed(error);
        }
        if (attempt === OPEN_ATTEMPTS_MAX) throw error;
        this.#hooks.trouble?.();
      }
    }
    if (this.#model === undefined) {
      this.#model = await StoreModel.of(this.#collections, this.store);
      this.#expect([this.#model]);
    } else await this.#resolve();
  }
}
