import fc from 'fast-check';
import { expect } from 'vitest';
import type { Change, Item, KeyItem, Stamp } from '../changes/index.ts';
import type { Collection, FieldValues } from '../collections/index.ts';
import { body, collection, extra, idChoice } from './model-values.ts';
import { chosenId, command, type ModelCommand } from './model-writes.ts';
import { randomFrom, shuffled, valuesOf } from './store-fixture.ts';
import { MODEL_EPOCH, modelText, type StoreModel } from './store-model.ts';

type Next = Stamp & { readonly values: FieldValues | null; readonly extra: string };

interface Arriving {
  readonly change: Change;
  readonly next: Next;
}

const AT = '2026-02-01T00:00:00.000Z';

function arriving(of: Collection, id: number, next: Next, base: Stamp | null): Arriving {
  const { epoch, version, values } = next;
  const record = values === null ? null : modelText(of, values, next.extra, id);
  const op = record === null ? 'delete' : base === null ? 'create' : 'update';
  const change = { collection: of.name, id, epoch, version, base, op, record, at: AT } as const;
  return { change, next };
}

/** One change that arrives; `body` is `null` for a deletion. */
interface Step {
  readonly body: Record<string, unknown> | null;
  readonly extra: string;
  readonly kind: string;
}

const step: fc.Arbitrary<Step> = fc.record({
  body: fc.option(body, { freq: 4 }),
  extra,
  kind: fc.constantFrom('next', 'next', 'next', 'next', 'same', 'conflict', 'stale', 'fork'),
});

/** What another primary of the same pair may have written after, or beside, the state held here. */
function changesOf(
  model: StoreModel,
  { of, choice, steps }: { of: Collection; choice: number; steps: readonly Step[] },
): Arriving[] {
  const id = chosenId(model, of, choice);
  const held = model.of(of).get(id);
  const changes: Arriving[] = [];
  let at: Stamp | null = held ?? null;
  for (const { body: sent, extra: members, kind } of steps) {
    const values = sent === null ? null : valuesOf(sent, of);
    const next = (stamp: Stamp): Next => ({ ...stamp, values, extra: values ? members : '' });
    const last = changes.at(-1);
    if (kind === 'same' && last !== undefined) changes.push(last);
    else if (kind === 'conflict' && at !== null) {
      const base = at.version === 1 ? null : { ...at, version: at.version - 1 };
      changes.push(arriving(of, id, next({ epoch: at.epoch, version: at.version }), base));
    } else if (kind === 'stale' && at !== null && at.version > 1) {
      changes.push(arriving(of, id, next({ epoch: at.epoch, version: 1 }), null));
    } else if (kind === 'fork' && at !== null) {
      changes.push(arriving(of, id, next({ epoch: MODEL_EPOCH, version: at.version }), null));
    } else {
      // A new record of another primary began in an older epoch.
      const stamp: Stamp = {
        epoch: at === null ? MODEL_EPOCH - 3 : Math.min(MODEL_EPOCH, at.epoch + (id % 2)),
        version: (at?.version ?? 0) + 1,
      };
      changes.push(arriving(of, id, next(stamp), at === null ? null : stampOf(at)));
      at = stamp;
    }
  }
  return changes;
}

const stampOf = ({ epoch, version }: Stamp): Stamp => ({ epoch, version });

const keyItem = fc.record({
  key: fc.constantFrom('k1', 'k2', 'far', 'é', '😀'),
  fingerprint: fc.constantFrom('f', 'g'),
  outcome: fc.nat({ max: 9 }).map((id) => JSON.stringify({ kind: 'deleted', id })),
  ageHours: fc.constantFrom(0, 1, 47, 49, 100),
});

/** Arriving changes and keys in any order and batching, repeated and stale ones too (I4). */
export const applyCommands: readonly fc.Arbitrary<ModelCommand>[] = [
  fc
    .record({
      of: collection,
      records: fc.array(
        fc.record({ choice: idChoice, steps: fc.array(step, { minLength: 1, maxLength: 4 }) }),
        { minLength: 1, maxLength: 4 },
      ),
      keys: fc.array(keyItem, { maxLength: 3 }),
      seed: fc.nat(),
      batch: fc.integer({ min: 1, max: 12 }),
    })
    .map((input) =>
      command('apply', input, async (model, { store }, { of, records, keys, seed, batch }) => {
        const random = randomFrom(seed);
        const all: (Arriving | KeyItem)[] = [
          ...records.flatMap((one) => changesOf(model, { of, ...one })),
          ...keys.map(({ ageHours, ...key }) => ({
            ...key,
            at: new Date(model.nowMs - ageHours * 3_600_000).toISOString(),
          })),
        ];
        const repeated = all.filter(() => random() < 0.3);
        const queue = shuffled([...all, ...repeated], random);
        while (queue.length > 0) {
          const some = queue.splice(0, batch);
          const results = await store.apply(
            some.map(
              (one): Item =>
                'change' in one
                  ? { kind: 'change', change: one.change }
                  : { kind: 'key', key: one },
            ),
          );
          const verdicts = results.map(({ verdict }) => verdict);
          expect(verdicts).toEqual(verdictsOf(model, of, some));
        }
      }),
    ),
];

/** A batch's keys are stored together: of a key that comes twice in one, the second is known even if
 *  it has outlived its time. */
function verdictsOf(model: StoreModel, of: Collection, some: readonly (Arriving | KeyItem)[]) {
  const seen = new Set<string>();
  return some.map((one) => {
    if ('change' in one) return model.arrive(of, one.change, one.next);
    if (seen.has(one.key)) return 'no-op';
    seen.add(one.key);
    return model.arriveKey(one);
  });
}
