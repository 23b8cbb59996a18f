//   hot records    shared: any client reads, changes and deletes them
//   own records    one client's: made, changed at once, and left alone or deleted together
import { setTimeout as sleep } from 'node:timers/promises';
import { below, pickOf, randomFrom } from '@tandem/storage/testing';
import { ApiChoice, type Door } from './api-choice.ts';
import { type Attempt, attempt } from './attempt.ts';
import type { Call, Fields, History } from './history.ts';

/** Between two requests of a client, at most, in ms: they shall not take the processors. */
const THINK_MS = 200;
const REFUSED_PAUSE_MS = 150;
/** An unknown outcome is asked for again with its key, so often at most. */
const ATTEMPTS_MAX = 12;
const HOT_RECORDS = 24;
/** Own records that are deleted together. */
const OWN_RECORDS = 4;
/** Of those, how often they stay instead. */
const LEFT_SHARE = 0.6;
const KEYED_SHARE = 0.5;
const POISON_SHARE = 0.04;
/** How often something that was answered is asked for again with its key, and of how many. */
const REPEAT_SHARE = 0.05;
const REPEATABLE_MAX = 20;

/** Ids that clients tell each other. */
export class HotRecords {
  readonly #ids: number[] = [];

  get isFull(): boolean {
    return this.#ids.length >= HOT_RECORDS;
  }

  has(id: number): boolean {
    return this.#ids.includes(id);
  }

  add(id: number): void {
    this.#ids.push(id);
  }

  pick(random: () => number): number | undefined {
    return this.#ids.length === 0 ? undefined : pickOf(random, this.#ids);
  }

  /** It was deleted, or is about to be: another takes its place, so that it is asked for no more. */
  retire(id: number): void {
    const at = this.#ids.indexOf(id);
    if (at >= 0) this.#ids.splice(at, 1);
  }
}

export interface ClientOptions {
  readonly number: number;
  readonly seed: number;
  readonly doors: readonly Door[];
  readonly hot: HotRecords;
  readonly history: History;
  readonly signal: AbortSignal;
}

/** Asks one request after the other until the signal aborts, and keeps what it was told. */
export async function runClient(options: ClientOptions): Promise<void> {
  const { signal } = options;
  const client = new Client(options);
  while (!signal.aborted) {
    await client.step();
    await sleep(below(client.random, THINK_MS), undefined, { signal }).catch(() => undefined);
  }
}

class Client {
  readonly random: () => number;
  readonly #options: ClientOptions;
  readonly #choice: ApiChoice;
  #own: number[] = [];
  /** Acknowledged writes with their keys, the oldest first. */
  readonly #answered: { readonly call: Call; readonly key: string }[] = [];
  #count = 0;

  constructor(options: ClientOptions) {
    this.#options = options;
    this.random = randomFrom(options.seed + 7_919 * options.number);
    this.#choice = new ApiChoice(options.doors, this.random);
  }

  async step(): Promise<void> {
    const { hot } = this.#options;
    if (this.random() < REPEAT_SHARE) await this.#repeat();
    const draw = this.random();
    const id = hot.pick(this.random);
    if (!hot.isFull && draw < 0.5) {
      const created = await this.#create();
      if (created !== undefined) hot.add(created);
    } else if (draw < 0.12) {
      await this.#workOnOwn();
    } else if (draw < 0.16) {
      await this.#do({ kind: 'list' });
    } else if (id === undefined) {
      await this.#create();
    } else if (draw < 0.45) {
      await this.#do({ kind: 'read', id });
    } else if (draw < 0.96) {
      await this.#do({ kind: 'update', id, set: this.#change() });
    } else {
      await this.#do({ kind: 'delete', id });
      // Whether it is gone is looked at, also by others who have picked it meanwhile.
      await this.#do({ kind: 'read', id });
      hot.retire(id);
    }
  }

  /** Several changes in a hurry; then it is left alone for good, or deleted with others. A change that
   *  replicates late, or twice, has no later one to hide behind. */
  async #workOnOwn(): Promise<void> {
    if (this.#own.length >= OWN_RECORDS) {
      const ids = this.#own;
      this.#own = [];
      if (this.random() < LEFT_SHARE) return;
      await this.#do({ kind: 'bulk-delete', ids });
      return;
    }
    const id = await this.#create();
    if (id === undefined) return;
    this.#own.push(id);
    await this.#do({ kind: 'update', id, set: this.#change() });
    await this.#do({ kind: 'update', id, set: this.#change() });
  }

  async #create(): Promise<number | undefined> {
    const text = this.#text();
    const set = { category: 'Food', account: 'Cash', business: text, currency: '₪' };
    const amount = this.#count / 100;
    const { outcome, record } = await this.#do({
      kind: 'create',
      set: { ...set, amount, notes: this.#notes(text) },
    });
    return outcome === 'ok' ? record?.id : undefined;
  }

  /** One field, or two that are never seen apart. */
  #change(): Partial<Fields> {
    const text = this.#text();
    if (this.random() < 0.5) return { notes: this.#notes(text) };
    return { notes: this.#notes(text), business: text };
  }

  /** Now and then what PostgreSQL refuses while it is poisoned. */
  #notes(text: string): string {
    return this.random() < POISON_SHARE ? `poison ${text}` : text;
  }

  #text(): string {
    this.#count += 1;
    return `${this.#options.number}-${this.#count}`;
  }

  async #do(call: Call): Promise<Attempt> {
    const { number, seed, history, signal } = this.#options;
    const isWrite = call.kind !== 'read' && call.kind !== 'list';
    const isKeyed = isWrite && this.random() < KEYED_SHARE;
    this.#count += 1;
    const key = isKeyed ? `${seed}-${number}-${this.#count}` : undefined;
    const startMs = performance.now();
    let attempts = 1;
    let door = this.#choice.next();
    let answer = await this.#ask(door, call, key);
    let isUnknown = answer.outcome === 'unknown';
    while (isKeyed && isUnknown && !isSettled(answer) && attempts < ATTEMPTS_MAX) {
      await sleep(REFUSED_PAUSE_MS);
      door = this.#choice.again();
      answer = await this.#ask(door, call, key);
      attempts += 1;
    }
    // A refusal of a later attempt says nothing of the first one.
    isUnknown &&= !isSettled(answer);
    const outcome = isUnknown ? 'unknown' : answer.outcome;
    const endMs = outcome === 'unknown' ? Number.POSITIVE_INFINITY : performance.now();
    history.add({
      ...{ client: String(number), call, startMs, endMs, attempts, via: door.name },
      ...(key === undefined ? {} : { key }),
      ...{ ...answer, outcome },
    });
    if (outcome === 'ok' && answer.record !== null && key !== undefined) this.#keep({ call, key });
    if (outcome !== 'ok' && !signal.aborted) await sleep(REFUSED_PAUSE_MS);
    return { ...answer, outcome };
  }

  async #ask(door: Door, call: Call, key: string | undefined): Promise<Attempt> {
    const answer = await attempt(door.origin, call, key);
    this.#choice.told(door, answer.outcome === 'ok');
    return answer;
  }

  #keep(answered: { readonly call: Call; readonly key: string }): void {
    this.#answered.push(answered);
    if (this.#answered.length > REPEATABLE_MAX) this.#answered.shift();
  }

  /** Asks again for what was done long ago, perhaps by another primary: the same answer, no effect. */
  async #repeat(): Promise<void> {
    const { number, history } = this.#options;
    if (this.#answered.length === 0) return;
    const { call, key } = pickOf(this.random, this.#answered);
    const startMs = performance.now();
    const door = this.#choice.again();
    const answer = await this.#ask(door, call, key);
    const endMs = performance.now();
    const repeated = { client: String(number), call, key, startMs, endMs, attempts: 1 };
    history.add({ ...repeated, ...answer, via: door.name, isRepeat: true });
  }
}

const isSettled = ({ outcome }: Attempt): boolean => outcome === 'ok';
