import fc from 'fast-check';
import { expect } from 'vitest';
import type { Command, Outcome, Stamp, Write } from '../changes/index.ts';
import type { Collection, FieldValues } from '../collections/index.ts';
import { isTandemError } from '../errors.ts';
import { body, collection, idChoice, key, partialBody } from './model-values.ts';
import { setOf, valuesOf } from './store-fixture.ts';
import { MODEL_EPOCH, modelText, type StoreModel } from './store-model.ts';
import { agree, type StoreSubject } from './store-subject.ts';

export type ModelCommand = fc.AsyncCommand<StoreModel, StoreSubject>;

/** A command that is always allowed, after which store and model must agree. */
export function command<T>(
  name: string,
  input: T,
  run: (model: StoreModel, subject: StoreSubject, input: T) => Promise<void>,
): ModelCommand {
  return {
    check: () => true,
    async run(model, subject) {
      await run(model, subject, input);
      await agree(model, subject);
    },
    toString: () => `${name}(${JSON.stringify(input, (_, value) => value?.plural ?? value)})`,
  };
}

/** A live id, one of a tombstone, or now and then one that nobody has. */
export function chosenId(model: StoreModel, of: Collection, choice: number): number {
  const live = model.liveIds(of);
  const ids = choice % 4 === 3 || live.length === 0 ? [...model.of(of).keys()] : live;
  return choice % 8 === 7 || ids.length === 0 ? 900_000 + choice : (ids[choice % ids.length] ?? 1);
}

/** What a write must do, carried out in the model. A creation's id is the store's to choose. */
function expected(
  model: StoreModel,
  write: Exclude<Command, { op: 'rewrite' }>,
  id: number,
): Outcome {
  const { collection: of } = write;
  if (write.op === 'create') {
    expect(id, 'I9: an id above every one given before').toBeGreaterThan(model.mark(of));
    model.put(of, id, { epoch: MODEL_EPOCH, version: 1, values: write.values, extra: '' });
    const text = modelText(of, write.values, '', id);
    return { kind: 'created', id, epoch: MODEL_EPOCH, version: 1, text };
  }
  if (write.op === 'bulk-delete') {
    const gone = [...new Set(write.ids)].filter((one) => remove(model, of, one));
    return { kind: 'bulk-deleted', count: gone.length };
  }
  const current = model.live(of, write.id);
  if (current === undefined) return { kind: 'not-found', id: write.id };
  const { epoch, version } = current;
  const isWanted = (stamp: Stamp): boolean => stamp.epoch === epoch && stamp.version === version;
  if (write.ifMatch !== undefined && write.ifMatch !== '*' && !write.ifMatch.some(isWanted)) {
    return { kind: 'precondition-failed', id: write.id, current: { epoch, version } };
  }
  if (write.op === 'delete') {
    remove(model, of, write.id);
    return { kind: 'deleted', id: write.id };
  }
  const values: FieldValues = { ...current.values, ...write.set };
  const next = { epoch: MODEL_EPOCH, version: version + 1, values, extra: current.extra };
  model.put(of, write.id, next);
  const text = modelText(of, values, current.extra, write.id);
  return { kind: 'updated', id: write.id, epoch: MODEL_EPOCH, version: next.version, text };
}

function remove(model: StoreModel, of: Collection, id: number): boolean {
  const current = model.live(of, id);
  if (current === undefined) return false;
  const version = current.version + 1;
  model.put(of, id, { epoch: MODEL_EPOCH, version, values: null, extra: '' });
  return true;
}

/** Writes, and compares the answer with what the model says (I10 for a key that is known). */
async function write(model: StoreModel, { store }: StoreSubject, wanted: Write): Promise<void> {
  const known = wanted.key === undefined ? undefined : model.key(wanted.key.key);
  if (known !== undefined && known.fingerprint !== wanted.key?.fingerprint) {
    const refused = await store.write(wanted).catch((error: unknown) => error);
    expect(isTandemError(refused, 'key-reused'), 'I10: another request under a key').toBe(true);
    return;
  }
  const outcome = await store.write(wanted);
  if (known !== undefined) {
    expect(outcome, 'I10: the first outcome again').toEqual(known.outcome);
    return;
  }
  const id = 'id' in outcome ? outcome.id : 0;
  if (wanted.command.op === 'rewrite') throw new Error('No client asks for a rewriting.');
  expect(outcome).toEqual(expected(model, wanted.command, id));
  if (wanted.key === undefined) return;
  const { key: name, fingerprint } = wanted.key;
  model.keys.set(name, { fingerprint, outcome, atMs: model.nowMs });
}

const withKey = (given: Write['key'] | undefined) => (given === undefined ? {} : { key: given });

const ifMatch = fc.constantFrom(undefined, undefined, '*', 'current', 'stale');

function preconditionOf(model: StoreModel, of: Collection, id: number, choice: unknown) {
  if (choice === undefined) return {};
  if (choice === '*') return { ifMatch: '*' as const };
  const version = (model.of(of).get(id)?.version ?? 1) + (choice === 'stale' ? 1 : 0);
  return { ifMatch: [{ epoch: model.of(of).get(id)?.epoch ?? 1, version }] };
}

/** Every kind of write, with and without keys, and bursts of them. */
export const writeCommands: readonly fc.Arbitrary<ModelCommand>[] = [
  fc.record({ of: collection, body, key }).map((input) =>
    command('create', input, (model, subject, { of, body: sent, key: given }) => {
      const values = valuesOf(sent, of);
      const wanted = { op: 'create', collection: of, values } as const;
      return write(model, subject, { command: wanted, ...withKey(given) });
    }),
  ),
  fc.record({ of: collection, choice: idChoice, body: partialBody, key, ifMatch }).map((input) =>
    command('update', input, (model, subject, { of, choice, body: sent, ...rest }) => {
      const id = chosenId(model, of, choice);
      const precondition = preconditionOf(model, of, id, rest.ifMatch);
      const set = setOf(sent, of);
      const wanted = { op: 'update', collection: of, id, set, ...precondition } as const;
      return write(model, subject, { command: wanted, ...withKey(rest.key) });
    }),
  ),
  fc.record({ of: collection, choice: idChoice, key, ifMatch }).map((input) =>
    command('delete', input, (model, subject, { of, choice, ...rest }) => {
      const id = chosenId(model, of, choice);
      const precondition = preconditionOf(model, of, id, rest.ifMatch);
      const wanted = { op: 'delete', collection: of, id, ...precondition } as const;
      return write(model, subject, { command: wanted, ...withKey(rest.key) });
    }),
  ),
  fc.record({ of: collection, choices: fc.array(idChoice, { maxLength: 6 }), key }).map((input) =>
    command('bulk-delete', input, (model, subject, { of, choices, key: given }) => {
      const ids = choices.map((choice) => chosenId(model, of, choice));
      const wanted = { op: 'bulk-delete', collection: of, ids } as const;
      return write(model, subject, { command: wanted, ...withKey(given) });
    }),
  ),
  fc.array(body, { minLength: 2, maxLength: 12 }).map((input) =>
    command('burst', input, async (model, { store }, bodies) => {
      const [of] = model.collections;
      const writes = bodies.map((sent) => valuesOf(sent, of));
      const outcomes = await Promise.all(
        writes.map((values) => store.write({ command: { op: 'create', collection: of, values } })),
      );
      const made = outcomes.map((outcome, index) => ({ outcome, values: writes[index] }));
      const idOf = ({ outcome }: { outcome: Outcome }) => ('id' in outcome ? outcome.id : 0);
      for (const { outcome, values } of made.sort((a, b) => idOf(a) - idOf(b))) {
        const wanted = { op: 'create', collection: of, values: values as FieldValues } as const;
        expect(outcome).toEqual(expected(model, wanted, idOf({ outcome })));
      }
    }),
  ),
];
