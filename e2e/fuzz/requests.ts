import { below, pickOf } from '@tandem/storage/testing';
import type { AcknowledgedRecords, Sending } from './acknowledged-records.ts';
import type { ApiDocument, Operation, Parameter } from './api-document.ts';
import { JsonTexts, type Random } from './json-texts.ts';
import { METHODS, ODD_HEADERS, ODD_PARTS, ODD_QUERIES } from './odd-values.ts';
import { rawRequest } from './raw-requests.ts';

export interface FuzzRequest extends Sending {
  readonly kind: 'valid' | 'near' | 'hostile' | 'raw';
  /** What answers it; `undefined` where it may be another route, or none. */
  readonly operation: Operation | undefined;
  readonly method: string;
  readonly bytes: Buffer;
  /** The answer echoes it. */
  readonly requestId: string | undefined;
  /** How the connection goes on: an answer is read; all are read until its end; it is cut at once. */
  readonly ending: 'answer' | 'end' | 'cut';
}

/** How often a record's operation is asked for one of the others. */
const RECORD_WEIGHT = 6;
/** Makes requests of the document's operations, by chance and by what has been acknowledged. */
export class FuzzRequests {
  readonly #document: ApiDocument;
  readonly #known: AcknowledgedRecords;
  readonly #token: string;
  readonly #operations: readonly Operation[];

  constructor(document: ApiDocument, known: AcknowledgedRecords, token: string) {
    this.#document = document;
    this.#known = known;
    this.#token = token;
    this.#operations = document.operations.flatMap((one) =>
      Array<Operation>(this.#collectionOf(one) === undefined ? 1 : RECORD_WEIGHT).fill(one),
    );
  }

  next(random: Random): FuzzRequest {
    const chance = random();
    if (chance < 0.06) return rawRequest(random);
    const kind = chance < 0.5 ? 'valid' : chance < 0.75 ? 'near' : 'hostile';
    return this.#request(random, kind, pickOf(random, this.#operations));
  }

  #collectionOf({ path }: Operation): string | undefined {
    const [, , , name = ''] = path.split('/');
    return this.#known.collections.includes(name) ? name : undefined;
  }

  #request(random: Random, kind: 'valid' | 'near' | 'hostile', operation: Operation): FuzzRequest {
    const texts = new JsonTexts(this.#document.schemas, random, () => this.#known.id(random));
    const isOther = kind === 'hostile' && random() < 0.3;
    const method = isOther ? pickOf(random, METHODS) : operation.method;
    const target = this.#target(random, kind, operation, texts);
    const body = this.#body(random, kind, operation, texts);
    const headers = this.#headers(random, kind, operation, body);
    const sane = headers.filter(([name]) => name === 'X-Request-Id');
    const keys = headers.filter(([name]) => name === 'Idempotency-Key');
    return {
      ...{ kind, method, ending: 'answer' },
      operation: isOther || target.isOdd ? undefined : operation,
      collection: isOther || target.isOdd ? undefined : this.#collectionOf(operation),
      key: keys.length === 1 ? keys[0]?.[1] : undefined,
      ids: operation.path.endsWith('/bulk-delete') ? idsOf(body) : [],
      requestId:
        sane.length === 1 && /^fuzz\.\d+$/.test(sane[0]?.[1] ?? '') ? sane[0]?.[1] : undefined,
      bytes: bytesOf(random, `${method} ${target.text} HTTP/1.1`, headers, body),
    };
  }

  #target(
    random: Random,
    kind: string,
    { path, parameters }: Operation,
    texts: JsonTexts,
  ): { text: string; isOdd: boolean } {
    let isOdd = false;
    const fitting = (schema: Parameter['schema']): string =>
      schema.type === 'integer'
        ? texts.valid(schema)
        : texts.text(pickOf(random, [schema, { enum: this.#known.collections }]));
    let text = path.replace(/\{(\w+)\}/g, (_whole, name) => {
      const { schema = {} } = parameters.find((one) => one.name === name) ?? {};
      const isWrong = kind !== 'valid' && random() < 0.3;
      const value = isWrong ? pickOf(random, ODD_PARTS) : fitting(schema);
      if (kind === 'hostile' && isWrong) isOdd = true;
      // An empty part is no part, and this one is another path.
      if (value === '' || value === 'bulk-delete' || /^\.+$/.test(value)) isOdd = true;
      return isOdd ? value : encodeURIComponent(value.toWellFormed());
    });
    if (kind === 'hostile' && random() < 0.2) {
      isOdd = true;
      text = oddPath(random, text);
    }
    const pairs = parameters
      .filter(
        ({ in: place, name }) => place === 'query' && random() < (name === 'limit' ? 0.98 : 0.3),
      )
      .map(({ name, schema }) => {
        const isWrong = kind !== 'valid' && random() < 0.3;
        const value = isWrong ? pickOf(random, ODD_PARTS) : fitting(schema);
        return `${name}=${encodeURIComponent(value.toWellFormed())}`;
      });
    if (kind === 'hostile' && random() < 0.3) {
      isOdd = true;
      pairs.push(pickOf(random, ODD_QUERIES));
    }
    return { text: pairs.length === 0 ? text : `${text}?${pairs.join('&')}`, isOdd };
  }

  #body(random: Random, kind: string, { body }: Operation, texts: JsonTexts): Buffer | undefined {
    if (body === undefined) {
      return kind === 'hostile' && random() < 0.2 ? texts.hostile({ type: 'object' }) : undefined;
    }
    if (kind === 'valid') return Buffer.from(texts.valid(body));
    if (kind === 'near') return Buffer.from(texts.near(body));
    return random() < 0.5 ? texts.hostile(body) : Buffer.from(texts.valid(body));
  }

  #headers(
    random: Random,
    kind: string,
    { needsOperator, parameters }: Operation,
    body: Buffer | undefined,
  ): (readonly [string, string])[] {
    const headers: (readonly [string, string])[] = [['Host', '127.0.0.1']];
    const has = (name: string) =>
      parameters.some((one) => one.in === 'header' && one.name === name);
    if (needsOperator) {
      const token = random() < 0.005 ? 'not-the-token-of-this-api' : this.#token;
      headers.push(['Authorization', `Bearer ${token}`]);
    }
    if (body !== undefined || random() < 0.05) headers.push(['Content-Type', 'application/json']);
    if (random() < 0.2) headers.push(['X-Request-Id', `fuzz.${below(random, 1e6)}`]);
    for (const name of ['If-Match', 'If-None-Match']) {
      if (has(name) && random() < 0.2) {
        headers.push([
          name,
          pickOf(random, ['*', this.#known.tag(random), 'W/"1-1"', '"1-1", "x"']),
        ]);
      }
    }
    if (has('Idempotency-Key') && random() < 0.25) {
      headers.push(['Idempotency-Key', this.#known.key(random)]);
    }
    if (kind === 'hostile') {
      for (let odd = below(random, 3); odd > 0; odd--) headers.push(pickOf(random, ODD_HEADERS));
    }
    return headers;
  }
}

const oddPath = (random: Random, path: string): string =>
  pickOf(random, [
    `${path}/`,
    `/${path}`,
    path.toUpperCase(),
    path.replace('/v1/', '/v1/../v1/'),
    path.replace('e', '%65'),
    path.replaceAll('/', '%2f'),
    path.replaceAll('/', '\\'),
    `${path}/..%2f..%2f..%2fetc%2fpasswd`,
    `http://127.0.0.1${path}`,
    `//127.0.0.1${path}`,
    path.slice(1),
    `${path};x=1`,
    `${path}%00`,
    `/docs/static/..%2f..%2fpackage.json`,
    '*',
    path.slice(0, below(random, path.length)),
  ]);

/** Ids that a bulk deletion's body names, as far as it can be read. */
function idsOf(body: Buffer | undefined): readonly number[] {
  try {
    const { ids } = JSON.parse(body?.toString() ?? '');
    return Array.isArray(ids) ? ids.filter((id) => Number.isInteger(id)) : [];
  } catch {
    return [];
  }
}

/** Bytes of a request; the body in one piece, or in chunks. */
function bytesOf(
  random: Random,
  line: string,
  headers: readonly (readonly [string, string])[],
  body: Buffer | undefined,
): Buffer {
  const isChunked = body !== undefined && random() < 0.1;
  const framing =
    body === undefined
      ? []
      : [isChunked ? 'Transfer-Encoding: chunked' : `Content-Length: ${body.length}`];
  const lines = [line, ...headers.map(([name, value]) => `${name}: ${value}`), ...framing];
  const head = Buffer.from(`${lines.join('\r\n')}\r\n\r\n`, 'latin1');
  if (body === undefined) return head;
  if (!isChunked) return Buffer.concat([head, body]);
  const cut = below(random, body.length + 1);
  const chunks = [body.subarray(0, cut), body.subarray(cut)].filter(({ length }) => length > 0);
  const framed = chunks.flatMap((chunk) => [
    Buffer.from(`${chunk.length.toString(16)}\r\n`),
    chunk,
    Buffer.from('\r\n'),
  ]);
  return Buffer.concat([head, ...framed, Buffer.from('0\r\n\r\n')]);
}
