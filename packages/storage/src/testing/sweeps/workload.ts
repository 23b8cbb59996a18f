import type { Item, Write } from '../../changes/index.ts';
import { type Collection, parseExact, readCreate, readUpdate } from '../../collections/index.ts';
import type { JournalRoom } from '../../json/index.ts';
import type { JsonPhaseState } from '../../phase/index.ts';
import type { IdHighWater } from '../../store.ts';
import { below, pickOf } from '../seeded-random.ts';
import type { StoreModel } from './model.ts';

/** One call that ends in the journal. */
export type Task =
  | { readonly kind: 'write'; readonly write: Write }
  | { readonly kind: 'apply'; readonly items: readonly Item[] }
  | { readonly kind: 'raise'; readonly marks: IdHighWater };

/** One step of a workload. The tasks of a group are sent at once and share a batch. */
export type Action =
  | { readonly kind: 'group' | 'two-groups' | 'killed-group' | 'group-in-checkpoint' }
  | { readonly kind: 'checkpoint' | 'reopen' | 'kill' | 'relay' | 'foreign-edit' }
  | { readonly kind: 'phase'; readonly step: 'dual' | 'seal' | 'flags' | 'committing' | 'away' };

export interface Workload {
  readonly seed: number;
  readonly actions: readonly Action[];
  /** Legacy files that are adopted first; `undefined`: the folder is not there yet. */
  readonly legacy: Readonly<Record<string, string>> | undefined;
  readonly journalBytesMax: number;
  readonly checkpointAfterBytes: number;
  readonly journalRoom: JournalRoom;
}

const WEIGHTS: readonly (readonly [number, Action])[] = [
  [16, { kind: 'group' }],
  [6, { kind: 'two-groups' }],
  [4, { kind: 'killed-group' }],
  [4, { kind: 'group-in-checkpoint' }],
  [5, { kind: 'checkpoint' }],
  [3, { kind: 'reopen' }],
  [2, { kind: 'kill' }],
  [4, { kind: 'relay' }],
  [1, { kind: 'foreign-edit' }],
  [3, { kind: 'phase', step: 'dual' }],
  [2, { kind: 'phase', step: 'seal' }],
  [1, { kind: 'phase', step: 'flags' }],
  [1, { kind: 'phase', step: 'committing' }],
  [1, { kind: 'phase', step: 'away' }],
];

const LEGACY_FILES = {
  'expenses.json': `[
  {"date": "2025-01-02", "business": null, "category": "Food", "amount": "12.50", "account": "Cash", "currency": "₪", "notes": "שלום", "id": 4},
  {"date": "2025-01-03", "category": "Rent", "amount": 1200, "account": "Bank", "tag": 1.0},
  {"date": "no date", "category": "Odd", "amount": 3, "account": "Cash", "id": 2}
]
`,
  'incomes.json': '[]\n',
};

/** A workload that the seed repeats. */
export function workloadOf(random: () => number, seed: number, length: number): Workload {
  const total = WEIGHTS.reduce((sum, [weight]) => sum + weight, 0);
  const action = (): Action => {
    let left = random() * total;
    for (const [weight, one] of WEIGHTS) {
      left -= weight;
      if (left < 0) return one;
    }
    return { kind: 'group' };
  };
  return {
    seed,
    actions: Array.from({ length }, action),
    legacy: random() < 0.4 ? LEGACY_FILES : undefined,
    journalBytesMax: random() < 0.5 ? 3_000 : 1 << 28,
    checkpointAfterBytes: random() < 0.5 ? 6_000 : 1 << 26,
    journalRoom: { fromBytes: random() < 0.7 ? below(random, 2_000) : 1 << 20, bytes: 700 },
  };
}

/** Makes tasks that fit what the model holds. */
export class TaskMaker {
  readonly #random: () => number;
  readonly #collections: readonly Collection[];
  #count = 0;

  constructor(random: () => number, collections: readonly Collection[]) {
    this.#random = random;
    this.#collections = collections;
  }

  group(model: StoreModel): Task[] {
    return Array.from({ length: 1 + below(this.#random, 4) }, () => this.#task(model));
  }

  #task(model: StoreModel): Task {
    const random = this.#random;
    const collection = pickOf(random, this.#collections);
    const roll = random();
    if (roll < 0.06) {
      const marks = { [collection.name]: 1 + Math.max(0, ...model.ids(collection.name)) };
      return { kind: 'raise', marks };
    }
    if (roll < 0.25) return { kind: 'apply', items: [this.#item(model, collection)] };
    return { kind: 'write', write: this.#write(model, collection, roll) };
  }

  #write(model: StoreModel, collection: Collection, roll: number): Write {
    const random = this.#random;
    const ids = [...model.ids(collection.name), 999];
    const id = pickOf(random, ids);
    if (roll < 0.4) {
      const set = read(readUpdate(collection, parseExact(`{"notes":${this.#note()}}`)));
      return { command: { op: 'update', collection, id, set } };
    }
    if (roll < 0.5) return { command: { op: 'delete', collection, id } };
    if (roll < 0.6) {
      const some = ids.filter(() => random() < 0.6);
      return { command: { op: 'bulk-delete', collection, ids: some } };
    }
    const text = `{"date":"2025-12-07","category":"Food","amount":12.5,"account":"Cash","notes":${this.#note()}}`;
    const values = read(readCreate(collection, parseExact(text)));
    const command = { op: 'create', collection, values } as const;
    if (roll < 0.85) return { command };
    const known = model.keys();
    const key = random() < 0.3 && known.length > 0 ? pickOf(random, known) : `k${this.#count++}`;
    return { command, key: { key, fingerprint: 'f' } };
  }

  /** New, newer, older or repeated: what a queue may deliver. */
  #item(model: StoreModel, collection: Collection): Item {
    const random = this.#random;
    const known = model.ids(collection.name);
    const id = random() < 0.4 || known.length === 0 ? 1 + below(random, 40) : pickOf(random, known);
    const state = model.state(collection.name, id);
    const version = Math.max(1, (state?.version ?? 0) + below(random, 3));
    const epoch = model.phase.epoch;
    const base = version === 1 ? null : { epoch: state?.epoch ?? epoch, version: version - 1 };
    const business = collection.name === 'expense' ? '"business":null,' : '';
    const record =
      random() < 0.25
        ? null
        : `{"date":"2025-12-07",${business}"category":"Food","amount":12.5,"account":"Cash","currency":"₪","notes":${this.#note()},"id":${id}}`;
    const op = record === null ? 'delete' : base === null ? 'create' : 'update';
    const at = '2025-12-07T10:00:00.000Z';
    return {
      kind: 'change',
      change: { collection: collection.name, id, epoch, version, base, op, record, at },
    };
  }

  /** A note; some are longer than a sector, and than two. */
  #note(): string {
    const random = this.#random;
    const long = random() < 0.15 ? 300 + below(random, 1_200) : below(random, 30);
    return JSON.stringify(`${this.#count++} ${'₪x'.repeat(long >> 1)}`);
  }
}

function read<T>(
  input:
    | { readonly ok: true; readonly values: T }
    | { readonly ok: false; readonly problems: unknown },
): T {
  if (input.ok) return input.values;
  throw new Error(JSON.stringify(input.problems));
}

/** The phase change of one step, from what the phase is. */
export function phaseChange(
  step: (Action & { kind: 'phase' })['step'],
  { epoch, phase, sealed, committing }: JsonPhaseState,
): Partial<JsonPhaseState> {
  switch (step) {
    case 'dual':
      return { epoch: epoch + 1, phase: phase === 'json-primary' ? 'json-only' : 'json-primary' };
    case 'seal':
      return { sealed: !sealed };
    case 'flags':
      return {
        lastKnownFlags: { USE_DATABASE_STORAGE: false, DUAL_WRITE_ENABLED: epoch % 2 === 0 },
      };
    case 'committing':
      return committing === null
        ? { committing: { attempt: `a${epoch}`, epoch: epoch + 1, phase: 'postgres-primary' } }
        : { committing: null };
    case 'away':
      return {
        epoch: epoch + 1,
        phase: phase === 'postgres-primary' ? 'json-primary' : 'postgres-primary',
        sealed: false,
        committing: null,
      };
  }
}
