//   submit(stage)* ──> queue ──> batch A: stage each ── write ── sync ──────────── publish ── answer
//                        │          └ batch B, on top of A: staged while A syncs ── write ── sync …
//   exclusive(run) ──────┘ runs alone, when no batch is under way
//   B is written only when A is durable: at most one batch is in doubt at any moment.
//   StorageBroken ──> stopped: everything is refused until `restart`
import { setImmediate as nextTurn } from 'node:timers/promises';
import { TandemError } from '../errors.ts';
import type { Batch } from './batch.ts';
import type { Pace } from './pace.ts';
import { StorageBroken } from './whole-file.ts';

/** Bounds of one batch; a single large task may exceed them. */
const BATCH_TASKS_MAX = 4_096;
const BATCH_BYTES_MAX = 8 << 20;
/** Writes that may wait; more are refused as overload. What runs alone (a checkpoint, a switch) never is. */
const QUEUE_TASKS_MAX = 65_536;

/** What the loop drives; the store owns it. */
export interface CommitHost {
  /** @param below a batch that is written and not published yet */
  openBatch(below: Batch | undefined): Batch;
  /** Throws `storage-full`, or {@link StorageBroken}. */
  write(batch: Batch): Promise<void>;
  /** Makes what was written durable. Throws {@link StorageBroken}. */
  sync(batch: Batch): Promise<void>;
  publish(batch: Batch): void;
  onBroken(error: StorageBroken): void;
}

interface Settle {
  resolve(value: unknown): void;
  reject(error: unknown): void;
}
/** What `stage` gave is kept in the task until its batch is durable. */
interface StageTask extends Settle {
  readonly stage: (batch: Batch) => unknown;
  value: unknown;
  threw: boolean;
}
interface RunTask extends Settle {
  readonly run: () => Promise<unknown>;
}
type Task = StageTask | RunTask;

/** A batch and the tasks that were staged into it. */
interface Gathered {
  readonly batch: Batch;
  readonly tasks: StageTask[];
}

/** A batch that is written and being synced; resolves to why it is not durable, if it is not. */
interface Flight extends Gathered {
  readonly since: number;
  readonly synced: Promise<{ readonly error: unknown } | undefined>;
}

/** Group commit: one writer, any number of callers. */
export class CommitLoop {
  readonly #host: CommitHost;
  readonly #pace: Pace;
  #queue: Task[] = [];
  /** What gathers on top of the batch under way. */
  #above: Gathered | undefined;
  #staging = false;
  #running = false;
  #refusal: TandemError | undefined;
  #closed: TandemError | undefined;
  #idle: (() => void)[] = [];

  constructor(host: CommitHost, pace: Pace) {
    this.#host = host;
    this.#pace = pace;
  }

  /**
   * Stages into the next batch. What `stage` returned resolves once the batch is durable; what it
   * threw rejects alone, at the same moment, because it may rest on the batch's other tasks.
   */
  submit<T>(stage: (batch: Batch) => T): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
    if (this.#queue.length >= QUEUE_TASKS_MAX && this.#refusal === undefined) {
      return Promise.reject(new TandemError('overloaded', 'Too many writes are waiting.'));
    }
    return this.#enqueue((resolve, reject) => {
      return { stage, value: undefined, threw: false, resolve, reject };
    }) as Promise<T>;
  }

  /** Runs between two batches: while it runs, no batch is in flight. */
  exclusive<T>(run: () => Promise<T>): Promise<T> {
    return this.#enqueue((resolve, reject) => ({ run, resolve, reject })) as Promise<T>;
  }

  #enqueue(
    taskOf: (resolve: Settle['resolve'], reject: Settle['reject']) => Task,
  ): Promise<unknown> {
    if (this.#refusal !== undefined) return Promise.reject(this.#refusal);
    return new Promise((resolve, reject) => {
      this.#queue.push(taskOf(resolve, reject));
      if (this.#running) return this.#stageSoon();
      this.#running = true;
      // Whatever is submitted in this turn of the event loop shares the first batch.
      queueMicrotask(() => void this.#work());
    });
  }

  /** Refuses everything that waits and comes, until `restart`. */
  stop(refusal: TandemError): void {
    this.#refusal = refusal;
    for (const { reject } of this.#queue.splice(0)) reject(refusal);
  }

  restart(): void {
    this.#refusal = undefined;
  }

  /** Takes no more writes, for good; what waits is still done, and exclusive runs still come. */
  closeToWrites(refusal: TandemError): void {
    this.#closed = refusal;
  }

  /** Resolves when nothing is under way. */
  async drained(): Promise<void> {
    if (this.#running) await new Promise<void>((resume) => this.#idle.push(resume));
  }

  async #work(): Promise<void> {
    let flight: Flight | undefined;
    for (;;) {
      const task = this.#queue[0];
      if (flight !== undefined) flight = await this.#land(flight);
      else if (task === undefined) break;
      else if ('run' in task) await this.#runAlone(this.#queue.shift() as RunTask);
      else flight = await this.#launch(this.#gather());
    }
    this.#running = false;
    for (const resume of this.#idle.splice(0)) resume();
  }

  async #runAlone(task: RunTask): Promise<void> {
    try {
      task.resolve(await task.run());
    } catch (error) {
      if (error instanceof StorageBroken) this.#host.onBroken(error);
      task.reject(error instanceof StorageBroken ? unknownOutcome(error) : error);
    }
  }

  /** The first batch after a pause. */
  #gather(): Gathered {
    const waiting = this.#queue.findIndex((task) => 'run' in task);
    const tasks = waiting < 0 ? this.#queue.length : waiting;
    const gathered: Gathered = { batch: this.#host.openBatch(undefined), tasks: [] };
    this.#stageInto(gathered, this.#pace.halves(tasks) ? Math.ceil(tasks / 2) : BATCH_TASKS_MAX);
    return gathered;
  }

  /** Stages what waits, up to the next task that runs alone. */
  #stageInto({ batch, tasks }: Gathered, tasksMax: number): void {
    let taken = 0;
    for (const task of this.#queue) {
      if ('run' in task || tasks.length === tasksMax || batch.bytes >= BATCH_BYTES_MAX) break;
      taken++;
      stage(batch, task);
      tasks.push(task);
    }
    this.#queue.splice(0, taken);
  }

  /** Stages what comes while a batch is being synced, so that it is ready when that is done. */
  #stageSoon(): void {
    if (this.#above === undefined || this.#staging) return;
    this.#staging = true;
    queueMicrotask(() => {
      this.#staging = false;
      if (this.#above !== undefined) this.#stageInto(this.#above, BATCH_TASKS_MAX);
    });
  }

  /** Writes a batch and begins to sync it. @returns `undefined` when that is all there is to it */
  async #launch(gathered: Gathered): Promise<Flight | undefined> {
    const { batch, tasks } = gathered;
    if (batch.isEmpty) {
      answer(tasks);
      return undefined;
    }
    try {
      await this.#host.write(batch);
    } catch (error) {
      this.#fail(tasks, error);
      return undefined;
    }
    return { batch, tasks, since: performance.now(), synced: this.#sync(batch) };
  }

  /** Waits until a batch is durable and answers it. @returns the batch that is under way after it */
  async #land(flight: Flight): Promise<Flight | undefined> {
    const next: Gathered = { batch: this.#host.openBatch(flight.batch), tasks: [] };
    this.#above = next;
    this.#stageInto(next, BATCH_TASKS_MAX);
    const failed = await flight.synced;
    this.#above = undefined;
    if (failed !== undefined) {
      // What was staged on top of it was staged on what never was.
      this.#queue.unshift(...next.tasks.map(unstaged));
      this.#fail(flight.tasks, failed.error);
      return undefined;
    }
    this.#pace.synced(flight.tasks.length, performance.now() - flight.since);
    if (!next.batch.isEmpty && this.#pace.overlaps(flight.tasks.length + next.tasks.length)) {
      return this.#launchBeforeAnswer(flight, next);
    }
    this.#publish(flight, next);
    if (next.tasks.length === 0) return undefined;
    // The disk is what takes long: those who were answered may join the batch.
    await nextTurn();
    this.#stageInto(next, BATCH_TASKS_MAX);
    return this.#launch(next);
  }

  /** Lets the disk work on the next batch while the last one is answered. */
  async #launchBeforeAnswer(durable: Flight, next: Gathered): Promise<Flight | undefined> {
    let failed: { readonly error: unknown } | undefined;
    try {
      await this.#host.write(next.batch);
    } catch (error) {
      failed = { error };
    }
    const { batch, tasks } = next;
    const since = performance.now();
    const synced = failed === undefined ? this.#sync(batch) : undefined;
    this.#publish(durable, next);
    if (synced !== undefined) return { batch, tasks, since, synced };
    this.#fail(tasks, failed?.error);
    return undefined;
  }

  #sync(batch: Batch): Flight['synced'] {
    return this.#host.sync(batch).then(
      () => undefined,
      (error: unknown) => ({ error }),
    );
  }

  #publish({ batch, tasks }: Gathered, next: Gathered): void {
    this.#host.publish(batch);
    next.batch.standsAlone();
    answer(tasks);
  }

  #fail(tasks: readonly StageTask[], error: unknown): void {
    if (error instanceof StorageBroken) this.#host.onBroken(error);
    const reason = error instanceof StorageBroken ? unknownOutcome(error) : error;
    for (const { reject } of tasks) reject(reason);
  }
}

/** Stages a task; its answer is given later. */
function stage(batch: Batch, task: StageTask): void {
  try {
    task.value = task.stage(batch);
  } catch (error) {
    task.value = error;
    task.threw = true;
  }
}

const unstaged = (task: StageTask): StageTask => ({ ...task, value: undefined, threw: false });

function answer(tasks: readonly StageTask[]): void {
  for (const task of tasks) {
    if (task.threw) task.reject(task.value);
    else task.resolve(task.value);
  }
}

const unknownOutcome = (cause: StorageBroken): TandemError =>
  new TandemError(
    'outcome-unknown',
    'The disk failed while this was written; whether it was is not known.',
    { cause },
  );
