//   action ──> calls to the store (perhaps failing, perhaps killed) ──> model and expectation follow
//   acknowledged: the state counts ── refused: it never was ── unknown, killed: the store says which
import { setImmediate as nextTurn, setTimeout as sleep } from 'node:timers/promises';
import type { Collection } from '../../collections/index.ts';
import { isTandemError, sentenceOf } from '../../errors.ts';
import { type JsonStore, openJsonStore } from '../../json/index.ts';
import { type Log, silentLog } from '../../log.ts';
import { type JsonPhaseState, primaryOf } from '../../phase/index.ts';
import { below, randomFrom } from '../seeded-random.ts';
import type { SimulatedMachine, SimulatedProcess } from '../simulated-file-system.ts';
import { compact, ExpectationKeeper } from './expectation.ts';
import { contentText, phaseText, StoreModel } from './model.ts';
import { DIRECTORY } from './place.ts';
import { Violation } from './violation.ts';
import { type Action, phaseChange, type Task, TaskMaker, type Workload } from './workload.ts';

const DEADLINE_MS = 20_000;
const OPEN_ATTEMPTS_MAX = 4;
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
  /** Settles when every task has its answer; never, once the process was killed. */
  readonly answer: Promise<'acknowledged' | 'refused' | 'unknown'>;
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
  #process: SimulatedProcess;
  #store: JsonStore | undefined;
  #model: StoreModel | undefined;
  #milliseconds = Date.parse('2026-01-01T00:00:00Z');
  #loggedErrors = 0;

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

  /** Lays the files that were there before; they are durable. */
  static prepare(machine: SimulatedMachine, { legacy }: Workload): void {
    const { disk } = machine;
    if (legacy !== undefined) {
      disk.mkdir(DIRECTORY, 0o755);
      for (const [file, text] of Object.entries(legacy)) {
        const inode = disk.create(`${DIRECTORY}/${file}`, { mode: 0o640 });
        disk.write(inode, Buffer.from(text), 0);
        disk.sync(inode);
      }
      disk.syncDirectory(DIRECTORY);
      disk.syncDirectory('/data');
    }
    disk.syncDirectory('/');
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
    const { promise, resolve, reject } = Promise.withResolvers<Awaited<Group['answer']>>();
    let left = tasks.length;
    let worst: Awaited<Group['answer']> = 'acknowledged';
    const answered = (index: number, answer: string): void => {
      if (answer === 'refused' || answer === 'unknown') worst = answer;
      else if (answer !== expected[index]) {
        reject(new Violation(`Answered ${answer} instead of ${expected[index]}.`));
      }
      if (--left > 0) return;
      if (worst === 'acknowledged') this.#acknowledge(after);
      resolve(worst);
    };
    for (const [index, task] of tasks.entries()) {
      send(this.store, task).then(
        (answer) => answered(index, answer),
        (error) => {
          try {
            answered(index, this.#failed(error));
          } catch (violation) {
            reject(violation);
          }
        },
      );
    }
    return { after, answer: promise };
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
    this.#model = state;
    const { states } = this.keeper.current;
    this.#expect(states.slice(states.indexOf(state)));
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
    await this.#serving();
    await this.#resolve();
  }

  async #readsGoOn(): Promise<void> {
    const content = await contentText(this.#collections, this.store);
    if (this.keeper.current.states.some((state) => state.text() === content)) return;
    throw new Violation('Reads give another state than those that are known.');
  }

  /** Waits until the store takes writes, as far as its phase lets it. */
  async #serving(): Promise<void> {
    for (const deadline = Date.now() + DEADLINE_MS; ; ) {
      try {
        await this.store.raiseIdHighWater({});
        return;
      } catch (error) {
        if (!isTandemError(error, 'storage-failed')) throw error;
        if (Date.now() > deadline) throw new Violation('The store did not recover by itself.');
        await sleep(5);
      }
    }
  }

  /** What was unknown is known from the store itself: from now on that counts. */
  async #resolve(): Promise<void> {
    const content = await contentText(this.#collections, this.store);
    const state = this.keeper.current.states.find((one) => one.text() === content);
    if (state === undefined) {
      const wanted = this.keeper.current.states.map((one) => one.text()).join('\n  ');
      throw new Violation(`Recovered to\n  ${content}\ninstead of\n  ${wanted}`);
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

  /** As an editor does that saves safely. */
  #editForeign(): void {
    if (this.keeper.current.foreign !== undefined) return;
    const { disk } = this.#machine;
    const path = `${DIRECTORY}/expenses.json`;
    const found = disk.find(path)?.cached.toString('utf8') ?? '[]';
    const text = `${JSON.stringify([...JSON.parse(found), { by: 'hand', id: 77_777 }])}\n`;
    const inode = disk.create(`${DIRECTORY}/edited`, { mode: 0o640 });
    disk.write(inode, Buffer.from(text), 0);
    disk.sync(inode);
    // Whatever the edit replaces was replaced before it, also on the disk.
    this.keeper.foreign(text);
    disk.rename(`${DIRECTORY}/edited`, path);
    disk.syncDirectory(DIRECTORY);
    this.#hooks.expectationChanged?.();
  }

  async #reopen(): Promise<void> {
    await this.#close();
    await this.#open();
  }

  async #close(): Promise<void> {
    const errors = this.#loggedErrors;
    await withDeadline(this.store.close()).catch((error) => this.#failed(error));
    this.#store = undefined;
    // A last checkpoint that fails is logged; the journal has it all.
    if (this.#loggedErrors === errors) this.keeper.checkpointed(this.#state);
    else this.#hooks.trouble?.();
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
    const { journalBytesMax, checkpointAfterBytes } = this.#workload;
    for (let attempt = 1; this.#store === undefined; attempt++) {
      this.#process = this.#machine.process();
      try {
        const opening = openJsonStore({
          ...{ directory: DIRECTORY, collections: this.#collections, log: this.#log() },
          ...{ journalBytesMax, checkpointAfterBytes },
          fileSystem: this.#process.fileSystem,
          now: () => this.#milliseconds++,
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

  #log(): Log {
    return {
      ...silentLog,
      error: () => {
        this.#loggedErrors++;
      },
    };
  }
}

const answerOf = (model: StoreModel, task: Task): string => {
  if (task.kind === 'write') return JSON.stringify(model.write(task.write));
  if (task.kind === 'apply') return task.items.map((item) => model.apply(item)).join();
  model.raise(task.marks);
  return 'raised';
};

async function send(store: JsonStore, task: Task): Promise<string> {
  if (task.kind === 'write') {
    return store.write(task.write).then(
      (outcome) => JSON.stringify(outcome),
      (error) => {
        if (isTandemError(error, 'not-primary') || isTandemError(error, 'key-reused')) {
          return JSON.stringify(error.code);
        }
        throw error;
      },
    );
  }
  if (task.kind === 'apply') {
    return (await store.apply(task.items)).map(({ verdict }) => verdict).join();
  }
  await store.raiseIdHighWater(task.marks);
  return 'raised';
}

/** Nothing here takes long: what does not end hangs. */
async function withDeadline<T>(work: Promise<T>): Promise<T> {
  const ended = new AbortController();
  const hangs = sleep(DEADLINE_MS, undefined, { signal: ended.signal, ref: true }).then(
    () => {
      throw new Violation(`A call did not end within ${DEADLINE_MS / 1000} s.`);
    },
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([work, hangs]);
  } finally {
    ended.abort();
  }
}

const acceptsWrites = ({ phase, sealed, committing }: JsonPhaseState): boolean =>
  primaryOf(phase) === 'json' && !sealed && committing === null;
