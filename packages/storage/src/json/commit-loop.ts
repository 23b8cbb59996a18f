//   submit(stage)* ──> queue ──> one batch: stage each ── append + fdatasync ── publish ── resolve
//                        │          └ while it syncs, the next ones gather
//   exclusive(run) ──────┘ runs alone, between two batches
//   StorageBroken ──> stopped: everything is refused until `restart`
import { TandemError } from '../errors.ts';
import type { Batch } from './batch.ts';
import { StorageBroken } from './whole-file.ts';

/** Bounds of one batch; a single large task may exceed them. */
const BATCH_TASKS_MAX = 4_096;
const BATCH_BYTES_MAX = 8 << 20;
/** Tasks that may wait; more are refused as overload. */
const QUEUE_TASKS_MAX = 65_536;

/** What the loop drives; the store owns it. */
export interface CommitHost {
  openBatch(): Batch;
  /** Makes the batch durable. Throws `storage-full`, or {@link StorageBroken}. */
  append(batch: Batch): Promise<void>;
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

/** Group commit: one writer, any number of callers. */
export class CommitLoop {
  readonly #host: CommitHost;
  #queue: Task[] = [];
  #running = false;
  #refusal: TandemError | undefined;
  #closed: TandemError | undefined;
  #idle: (() => void)[] = [];

  constructor(host: CommitHost) {
    this.#host = host;
  }

  /**
   * Stages into the next batch. What `stage` returned resolves once the batch is durable; what it
   * threw rejects alone, at the same moment, because it may rest on the batch's other tasks.
   */
  submit<T>(stage: (batch: Batch) => T): Promise<T> {
    if (this.#closed !== undefined) return Promise.reject(this.#closed);
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
    if (this.#queue.length >= QUEUE_TASKS_MAX) {
      return Promise.reject(new TandemError('overloaded', 'Too many writes are waiting.'));
    }
    return new Promise((resolve, reject) => {
      this.#queue.push(taskOf(resolve, reject));
      if (this.#running) return;
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
    for (let task = this.#queue[0]; task !== undefined; task = this.#queue[0]) {
      if ('run' in task) await this.#runAlone(this.#queue.shift() as RunTask);
      else await this.#commitBatch();
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

  async #commitBatch(): Promise<void> {
    const batch = this.#host.openBatch();
    let taken = 0;
    for (const task of this.#queue) {
      if ('run' in task || taken === BATCH_TASKS_MAX || batch.bytes >= BATCH_BYTES_MAX) break;
      taken++;
      stageInto(batch, task);
    }
    const staged = this.#queue.splice(0, taken) as StageTask[];
    if (!batch.isEmpty) {
      try {
        await this.#host.append(batch);
      } catch (error) {
        if (error instanceof StorageBroken) this.#host.onBroken(error);
        const reason = error instanceof StorageBroken ? unknownOutcome(error) : error;
        for (const { reject } of staged) reject(reason);
        return;
      }
      this.#host.publish(batch);
    }
    for (const task of staged) {
      if (task.threw) task.reject(task.value);
      else task.resolve(task.value);
    }
  }
}

/** Stages a task; its answer is given later. */
function stageInto(batch: Batch, task: StageTask): void {
  try {
    task.value = task.stage(batch);
  } catch (error) {
    task.value = error;
    task.threw = true;
  }
}

const unknownOutcome = (cause: StorageBroken): TandemError =>
  new TandemError(
    'outcome-unknown',
    'The disk failed while this was written; whether it was is not known.',
    { cause },
  );
