import { below, pickOf } from '@tandem/storage/testing';
import type { Random } from './json-texts.ts';
import type { WireAnswer } from './wire.ts';

/** What a client knows of one record. */
interface Known {
  readonly epoch: number;
  readonly version: number;
  readonly text: string;
}

/** What a request may do to records, noted before it is sent. */
export interface Sending {
  /** The collection its path names; `undefined` where that is not certain. */
  readonly collection: string | undefined;
  readonly key: string | undefined;
  /** Ids of a bulk deletion. */
  readonly ids: readonly number[];
}

interface Sent extends Sending {
  /** Those of the ids that were there when it was sent. */
  readonly before: ReadonlySet<number>;
  readonly isReplay: boolean;
}

const WRITTEN = /^\{"status":"(created|updated)","(\w+)":(\{.*\})\}$/s;
const IDS_TRIED_MAX = 200;

/**
 * The records as the answers told them, whoever was quicker: the entity tag says which state is the
 * later one. A record that a bulk deletion named before its creation was answered may be there or not.
 */
export class AcknowledgedRecords {
  readonly collections: readonly string[];
  readonly #records: ReadonlyMap<string, Map<number, Known>>;
  /** Ids that answers to creations have named. */
  readonly #given: ReadonlyMap<string, Set<number>>;
  readonly #gone: ReadonlyMap<string, Set<number>>;
  readonly #unsure: ReadonlyMap<string, Set<number>>;
  readonly #keys: string[] = [];
  readonly #latest: number[] = [];
  writes = 0;

  constructor(collections: readonly string[]) {
    this.collections = collections;
    this.#records = new Map(collections.map((name) => [name, new Map()]));
    this.#given = new Map(collections.map((name) => [name, new Set()]));
    this.#gone = new Map(collections.map((name) => [name, new Set()]));
    this.#unsure = new Map(collections.map((name) => [name, new Set()]));
  }

  /** An id that was given lately, by whichever collection. */
  id(random: Random): number {
    return this.#latest.length === 0 ? 1 : pickOf(random, this.#latest);
  }

  tag(random: Random): string {
    return `"${below(random, 4)}-${1 + below(random, 3)}"`;
  }

  key(random: Random): string {
    return this.#keys.length > 0 && random() < 0.3
      ? pickOf(random, this.#keys)
      : `key-${below(random, 2 ** 31)}`;
  }

  sending(request: Sending): Sent {
    const { collection, key, ids } = request;
    const known = this.#records.get(collection ?? '') ?? new Map<number, Known>();
    const isReplay = key !== undefined && this.#keys.includes(key);
    if (key !== undefined && !isReplay) this.#keys.push(key);
    return { ...request, isReplay, before: new Set(ids.filter((id) => known.has(id))) };
  }

  /** @returns what is wrong with an answer, if it contradicts an earlier one */
  answered(sent: Sent, { status, headers, body }: WireAnswer): string | undefined {
    const text = body.toString();
    if (status !== 200 || !text.startsWith('{"status":"')) return undefined;
    const [, act, name = '', record = ''] = WRITTEN.exec(text) ?? [];
    if (act === undefined) return this.#deleted(sent, text);
    const [, epoch, version] = /^"(\d+)-(\d+)"$/.exec(headers.get('etag') ?? '') ?? [];
    if (epoch === undefined) return 'a written record has no entity tag';
    const [, id] = /"id":(\d+)\}$/.exec(record) ?? [];
    return this.#written(sent, act, name, Number(id), {
      ...{ epoch: Number(epoch), version: Number(version), text: record },
    });
  }

  #written(sent: Sent, act: string, name: string, id: number, state: Known): string | undefined {
    this.writes++;
    const records = this.#records.get(name);
    if (records === undefined) return `there is no collection ${name}`;
    const known = records.get(id);
    if (act === 'created' && !sent.isReplay) {
      // Not by what is known of the record: the answer to a change of it may have come first.
      const given = this.#given.get(name);
      if (given?.has(id)) return `I9: ${id} was given twice`;
      given?.add(id);
    }
    if (known !== undefined && known.version === state.version && known.text !== state.text) {
      return `${name} ${id} has two states of version ${state.version}`;
    }
    if (known === undefined && this.#latest.push(id) > IDS_TRIED_MAX) this.#latest.shift();
    if (known === undefined || state.version > known.version) records.set(id, state);
    return undefined;
  }

  #deleted(sent: Sent, text: string): undefined {
    const answer: { status: string; id?: number; count?: number } = JSON.parse(text);
    if (answer.status !== 'deleted') return;
    this.writes++;
    const ids = answer.id === undefined ? sent.ids : [answer.id];
    for (const name of this.collections) {
      const isMeant = sent.collection === name;
      if (sent.collection !== undefined && !isMeant) continue;
      for (const id of ids) {
        const isCertain =
          isMeant && !sent.isReplay && (answer.id !== undefined || sent.before.has(id));
        (isCertain ? this.#gone : this.#unsure).get(name)?.add(id);
      }
    }
  }

  /** @returns what a store's texts have too much, too little or otherwise, none of it acknowledged */
  differences(name: string, texts: readonly string[]): readonly string[] {
    const stored = new Map(
      texts.map((text) => [Number(/"id":(\d+)\}$/.exec(text)?.[1] ?? Number.NaN), text]),
    );
    const wrong: string[] = [];
    for (const [id, { text }] of this.#records.get(name) ?? []) {
      const found = stored.get(id);
      stored.delete(id);
      const isGone = this.#gone.get(name)?.has(id) === true;
      const isUnsure = this.#unsure.get(name)?.has(id) === true;
      if (found === undefined ? !isGone && !isUnsure : isGone) {
        wrong.push(`${name} ${id} is ${found === undefined ? 'missing' : 'there again'}`);
      } else if (found !== undefined && found !== text) {
        wrong.push(`${name} ${id} is ${found}, acknowledged was ${text}`);
      }
    }
    for (const id of stored.keys()) wrong.push(`${name} ${id} was never acknowledged`);
    return wrong;
  }
}
