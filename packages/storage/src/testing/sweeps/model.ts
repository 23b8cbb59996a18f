import {
  type Item,
  judge,
  type KeyItem,
  type Outcome,
  plan,
  type Stamp,
  type Write,
} from '../../changes/index.ts';
import type { Collection } from '../../collections/index.ts';
import type { JsonStore } from '../../json/index.ts';
import { type JsonPhaseState, primaryOf } from '../../phase/index.ts';
import type { IdHighWater } from '../../store.ts';

interface State extends Stamp {
  readonly text: string | null;
}

/** Instants differ between runs of one workload; nothing else does. */
const ANY_INSTANT = '2000-01-01T00:00:00.000Z';

/** What one JSON store should hold, in plain maps. States share what they have in common. */
export class StoreModel {
  readonly #collections: readonly Collection[];
  #records = new Map<string, Map<number, State>>();
  #highWater = new Map<string, number>();
  #keys = new Map<string, KeyItem>();
  #outbox: readonly string[] = [];
  #phase: JsonPhaseState;
  #text: string | undefined;

  constructor(collections: readonly Collection[], phase: JsonPhaseState) {
    this.#collections = collections;
    this.#phase = phase;
    for (const { name } of collections) {
      this.#records.set(name, new Map());
      this.#highWater.set(name, 0);
    }
  }

  /** The model of a store as it stands: of one that has adopted, or is new. */
  static async of(collections: readonly Collection[], store: JsonStore): Promise<StoreModel> {
    const model = new StoreModel(collections, store.phase.read());
    for (const collection of collections) {
      for (const { id, epoch, version, text } of await store.scan(collection, 0, MANY)) {
        model.#records.get(collection.name)?.set(id, { epoch, version, text });
      }
    }
    model.#highWater = new Map(Object.entries(await store.idHighWater()));
    return model;
  }

  clone(): StoreModel {
    const copy = new StoreModel(this.#collections, this.#phase);
    copy.#records = new Map([...this.#records].map(([name, states]) => [name, new Map(states)]));
    copy.#highWater = new Map(this.#highWater);
    copy.#keys = new Map(this.#keys);
    copy.#outbox = this.#outbox;
    return copy;
  }

  get phase(): JsonPhaseState {
    return this.#phase;
  }
  /** Items that went into the outbox, `seq` 1 first. */
  get outbox(): readonly string[] {
    return this.#outbox;
  }

  ids(collection: string): number[] {
    return [...(this.#records.get(collection)?.keys() ?? [])];
  }

  state(collection: string, id: number): State | undefined {
    return this.#records.get(collection)?.get(id);
  }

  keys(): readonly string[] {
    return [...this.#keys.keys()];
  }

  setPhase(change: Partial<JsonPhaseState>): void {
    this.#phase = { ...this.#phase, ...change };
  }

  /** @returns the outcome, or the code of the error that the store must answer with */
  write(write: Write): Outcome | 'not-primary' | 'key-reused' {
    const { phase, sealed, committing, epoch } = this.#phase;
    if (primaryOf(phase) !== 'json' || sealed || committing !== null) return 'not-primary';
    const { key, command } = write;
    const known = key === undefined ? undefined : this.#keys.get(key.key);
    if (known !== undefined) {
      return known.fingerprint === key?.fingerprint ? JSON.parse(known.outcome) : 'key-reused';
    }
    const { name } = command.collection;
    const { outcome, changes } = plan(write, {
      epoch,
      at: ANY_INSTANT,
      nextId: () => this.#raise(name, (this.#highWater.get(name) ?? 0) + 1),
      current: (id) => {
        const state = this.state(name, id);
        return state === undefined || state.text === null
          ? undefined
          : { ...state, text: state.text };
      },
    });
    for (const change of changes) this.#take({ kind: 'change', change }, true);
    if (key !== undefined) {
      const item = { ...key, outcome: JSON.stringify(outcome), at: ANY_INSTANT };
      this.#take({ kind: 'key', key: item }, true);
    }
    return outcome;
  }

  /** @returns the verdict */
  apply(item: Item): string {
    if (item.kind === 'key') {
      if (this.#keys.has(item.key.key)) return 'no-op';
    } else {
      const verdict = judge(item.change, this.state(item.change.collection, item.change.id));
      if (verdict !== 'apply') return verdict;
    }
    this.#take(item, false);
    return 'apply';
  }

  raise(marks: IdHighWater): void {
    for (const [name, mark] of Object.entries(marks)) this.#raise(name, mark);
  }

  #raise(name: string, mark: number): number {
    this.#text = undefined;
    this.#highWater.set(name, Math.max(this.#highWater.get(name) ?? 0, mark));
    return mark;
  }

  #take(item: Item, own: boolean): void {
    this.#text = undefined;
    if (item.kind === 'key') this.#keys.set(item.key.key, item.key);
    else {
      const { collection, id, epoch, version, record: text } = item.change;
      this.#records.get(collection)?.set(id, { epoch, version, text });
      this.#raise(collection, id);
    }
    if (own && this.#phase.phase === 'json-primary') {
      this.#outbox = [...this.#outbox, outboxText(item)];
    }
  }

  /** Everything but the phase, as one text; `contentText` makes the same of a store. */
  text(): string {
    this.#text ??= JSON.stringify([
      this.#collections.map(({ name }) => [
        [...(this.#records.get(name) ?? [])]
          .sort(([a], [b]) => a - b)
          .map(([id, { epoch, version, text }]) => [id, epoch, version, text]),
        this.#highWater.get(name),
      ]),
      [...this.#keys.values()]
        .map(({ key, fingerprint, outcome }) => [key, fingerprint, outcome])
        .sort(([a = ''], [b = '']) => (a < b ? -1 : 1)),
      this.#outbox.length,
    ]);
    return this.#text;
  }

  /** The live records of a collection, as its checkpoint file has them. */
  fileText(collection: string): string {
    const texts = [...(this.#records.get(collection) ?? [])]
      .sort(([a], [b]) => a - b)
      .flatMap(([, { text }]) => (text === null ? [] : [text]));
    return JSON.stringify(JSON.parse(`[${texts.join()}]`));
  }
}

const MANY = 1_000_000;

/** What a store holds, as `StoreModel.text` spells it. */
export async function contentText(
  collections: readonly Collection[],
  store: JsonStore,
): Promise<string> {
  const highWater = await store.idHighWater();
  const tables: unknown[] = [];
  for (const collection of collections) {
    const entries = await store.scan(collection, 0, MANY);
    tables.push([
      entries.map(({ id, epoch, version, text }) => [id, epoch, version, text]),
      highWater[collection.name],
    ]);
  }
  const keys = await store.scanKeys('', MANY);
  return JSON.stringify([
    tables,
    keys.map(({ key, fingerprint, outcome }) => [key, fingerprint, outcome]),
    store.outbox.head(),
  ]);
}

/** An outbox item without its instant, its members in one order. */
export const outboxText = (item: Item): string => {
  const members = Object.entries(item.kind === 'key' ? item.key : item.change);
  return JSON.stringify(
    members.filter(([name]) => name !== 'at').sort(([a], [b]) => (a < b ? -1 : 1)),
  );
};

/** What of a phase state only its owner sets; the rest a store may set by itself. */
export const phaseText = ({
  pairId,
  epoch,
  phase,
  sealed,
  committing,
  lastKnownFlags,
}: JsonPhaseState): string =>
  JSON.stringify({ pairId, epoch, phase, sealed, committing, lastKnownFlags });
