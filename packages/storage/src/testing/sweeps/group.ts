import { isTandemError } from '../../errors.ts';
import type { JsonStore } from '../../json/index.ts';
import type { StoreModel } from './model.ts';
import { Violation } from './violation.ts';
import type { Task } from './workload.ts';

/** What became of a group: the worst of its tasks' answers. */
export type GroupAnswer = 'acknowledged' | 'refused' | 'unknown';

/** What the model answers to a task, which it does. */
export const answerOf = (model: StoreModel, task: Task): string => {
  if (task.kind === 'write') return JSON.stringify(model.write(task.write));
  if (task.kind === 'apply') return task.items.map((item) => model.apply(item)).join();
  model.raise(task.marks);
  return 'raised';
};

/** What the store answers, spelled as the model does. */
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

/**
 * Sends the tasks of a group at once. Settles when every one has its answer; never, once the process
 * was killed.
 * @param expected what each must answer, if it does
 * @param told.failed says what a failed call means, or throws
 * @param told.acknowledged is called in the turn of the last good answer
 * @throws {Violation} when an answer is another one
 */
export function sendGroup(
  store: JsonStore,
  tasks: readonly Task[],
  expected: readonly string[],
  told: { failed(error: unknown): 'refused' | 'unknown'; acknowledged(): void },
): Promise<GroupAnswer> {
  const { promise, resolve, reject } = Promise.withResolvers<GroupAnswer>();
  let left = tasks.length;
  let worst: GroupAnswer = 'acknowledged';
  const answered = (): void => {
    if (--left > 0) return;
    if (worst === 'acknowledged') told.acknowledged();
    resolve(worst);
  };
  for (const [index, task] of tasks.entries()) {
    send(store, task).then(
      (answer) => {
        if (answer === expected[index]) answered();
        else reject(new Violation(`Answered ${answer} instead of ${expected[index]}.`));
      },
      (error) => {
        try {
          worst = told.failed(error);
          answered();
        } catch (violation) {
          reject(violation);
        }
      },
    );
  }
  return promise;
}
