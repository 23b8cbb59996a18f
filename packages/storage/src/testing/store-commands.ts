import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyCommands } from './model-applies.ts';
import { collection, idChoice } from './model-values.ts';
import { chosenId, command, type ModelCommand, writeCommands } from './model-writes.ts';
import { commandReplay, propertyRuns, propertyTimeoutMs } from './replay.ts';
import { StoreModel } from './store-model.ts';
import { agree, agreePages, type StoreSubject } from './store-subject.ts';

const HOUR_MS = 3_600_000;
const COMMANDS_MAX = 40;

const readCommands: readonly fc.Arbitrary<ModelCommand>[] = [
  fc.record({ of: collection, choice: idChoice }).map((input) =>
    command('get', input, async (model, { store }, { of, choice }) => {
      const id = chosenId(model, of, choice);
      const listed = model.listed(of).find((record) => record.id === id);
      expect(await store.get(of, id)).toEqual(listed);
    }),
  ),
  fc
    .integer({ min: 1, max: 9 })
    .map((limit) => command('page', limit, (model, subject) => agreePages(model, subject, limit))),
];

const lifeCommands: readonly fc.Arbitrary<ModelCommand>[] = [
  fc.constantFrom(1, 30, 49).map((hours) =>
    command('wait', `${hours} h`, async (model, subject) => {
      model.nowMs += hours * HOUR_MS;
      subject.setClock(model.nowMs);
    }),
  ),
  fc.constant(command('crash', null, (_model, subject) => subject.crash())),
  fc.constant(command('reopen', null, (_model, subject) => subject.reopen())),
  fc.constant(command('checkpoint', null, async (model, subject) => subject.checkpoint?.(model))),
  fc.record({ of: collection, by: fc.constantFrom(-5, 0, 1, 1_000) }).map((input) =>
    command('raise', input, async (model, { store }, { of, by }) => {
      const mark = Math.max(0, model.mark(of) + by);
      await store.raiseIdHighWater({ [of.name]: mark });
      model.highWater.set(of.name, Math.max(mark, model.mark(of)));
      expect((await store.idHighWater())[of.name], 'I9: exactly so high').toBe(model.mark(of));
    }),
  ),
];

/**
 * Runs generated commands on a store and on the model, which must agree after every one: list order,
 * texts, stamps, tombstones, keys, and a high-water that only rises.
 *
 * @param open an empty store that is primary at `MODEL_EPOCH`, its clock as given
 * @param runs how many command sequences an ordinary run tries
 */
export function storeModelSuite(
  name: string,
  runs: number,
  open: (nowMs: number) => Promise<StoreSubject>,
): void {
  test(`I1, I4, I8, I9, I10: ${name} does what the model does, whatever comes`, {
    timeout: propertyTimeoutMs(),
  }, async () => {
    const all = [...writeCommands, ...applyCommands, ...readCommands, ...lifeCommands];
    const commands = fc.commands([...all, ...writeCommands, ...applyCommands], {
      maxCommands: COMMANDS_MAX,
      size: 'max',
      ...commandReplay(),
    });
    const sequence = fc.asyncProperty(commands, async (some) => {
      const model = new StoreModel();
      const subject = await open(model.nowMs);
      try {
        await agree(model, subject);
        await fc.asyncModelRun(() => ({ model, real: subject }), some);
      } finally {
        await subject.close();
      }
    });
    await fc.assert(sequence, propertyRuns(runs));
  });
}
