import { below, pickOf } from '@tandem/storage/testing';

export type Random = () => number;

/** A JSON Schema of the document, as far as values are made from it. */
export interface Schema {
  readonly $ref?: string;
  readonly type?: string | readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly items?: Schema;
  readonly enum?: readonly unknown[];
  readonly const?: unknown;
  readonly anyOf?: readonly Schema[];
  readonly oneOf?: readonly Schema[];
  readonly format?: string;
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly maxLength?: number;
}

/** Texts that a store keeps as they are sent. */
const STORABLE = [
  ...[
    '',
    ' ',
    'Groceries',
    'קניות ₪',
    'a\u202eb\u2066c\u2069',
    '👩‍👩‍👧 🛒',
    'e\u0301',
    '\ufeff',
    '\uffff',
  ],
  ...[
    '\u2028\u2029\u0085',
    '"\\\n\t\b\f\u0001/',
    '\\u0000 {"a":[1e2]}',
    "'; DROP TABLE expenses; --",
  ],
  ...["1' OR '1'='1", '$1', '%s%n', '../../../etc/passwd', '<script>', '__proto__', 'constructor'],
  ...['null', 'NaN', '0', '1e999', '\r\nX-Injected: 1', '-- \n', '\ud83d\ude00'.repeat(40)],
];
/** Texts that no store can hold. */
const UNSTORABLE = ['\0', 'a\0b', '\ud800', '\udfff\ud800', 'a\udc00'];
const NUMBERS = [
  ...['0', '-0', '1', '-1', '1.5', '1e2', '1E+2', '0.1', '-0.10', '150.50', '99999999.99'],
  ...['100000000', '1.005', '1e-7', '2147483647', '2147483648', '9007199254740993', '1e400'],
  ...[`1${'0'.repeat(400)}`, `0.${'0'.repeat(400)}1`, '1e999999999', '-1e-999999999'],
];
const AMOUNTS = NUMBERS.slice(0, 11);
/** No JSON, though some readers take them. */
const BROKEN = [
  '01',
  '+1',
  '.5',
  '1.',
  '0x10',
  'NaN',
  'undefined',
  "'x'",
  '{a:1}',
  '[1,]',
  '/**/1',
];
const DAYS = ['2025-12-07', '2024-02-29', '0001-01-01', '9999-12-31'];
const NO_DAYS = [
  '2025-02-29',
  '2025-13-01',
  '25-1-1',
  '2025-12-07T00:00:00Z',
  '0000-01-01',
  'today',
];
/** Levels; a body may have 32. */
const DEEP = [31, 32, 33, 10_000];
/** Bytes of a field may be 64 KiB. */
const LONG = [65_536, 65_537];

/** Makes JSON texts from schemas: such that fit, such that nearly do, and such that never do. */
export class JsonTexts {
  readonly #schemas: Readonly<Record<string, Schema>>;
  readonly #random: Random;
  readonly #id: () => number;

  /** @param id an id that is worth a try */
  constructor(schemas: Readonly<Record<string, Schema>>, random: Random, id: () => number) {
    this.#schemas = schemas;
    this.#random = random;
    this.#id = id;
  }

  valid(given: Schema): string {
    const schema = this.#resolved(given);
    if (schema.const !== undefined) return JSON.stringify(schema.const);
    if (schema.enum !== undefined) return JSON.stringify(pickOf(this.#random, schema.enum));
    const { type = ['string', 'number', 'null'] } = schema;
    switch (typeof type === 'string' ? type : pickOf(this.#random, type)) {
      case 'object':
        return textOf(this.#members(schema));
      case 'array':
        return `[${Array.from({ length: below(this.#random, 4) }, () => this.valid(schema.items ?? {})).join(',')}]`;
      case 'integer':
        return String(this.#integer(schema));
      case 'number':
        return pickOf(this.#random, AMOUNTS);
      case 'boolean':
        return pickOf(this.#random, ['true', 'false']);
      case 'null':
        return 'null';
      default:
        return JSON.stringify(this.text(schema));
    }
  }

  /** A text that fits a schema of strings. */
  text({ format, pattern, maxLength = Number.POSITIVE_INFINITY, ...schema }: Schema = {}): string {
    if (schema.enum !== undefined) return String(pickOf(this.#random, schema.enum));
    if (format === 'date') return pickOf(this.#random, DAYS);
    if (format === 'date-time')
      return pickOf(this.#random, ['2025-12-07T10:00:00Z', '2100-01-01T00:00Z']);
    if (format === 'uuid') return crypto.randomUUID();
    if (pattern !== undefined) return pickOf(this.#random, AMOUNTS);
    return pickOf(this.#random, STORABLE).slice(0, maxLength);
  }

  /** One thing is wrong with it, or might be. */
  near(given: Schema): string {
    const schema = this.#resolved(given);
    if (schema.properties === undefined) return this.#wrong();
    const members = this.#members(schema);
    const at = below(this.#random, Math.max(1, members.length));
    const member = members[at] ?? (['"x"', '1'] as const);
    switch (below(this.#random, 7)) {
      case 0:
        return textOf(members.toSpliced(at, 1));
      case 1:
        return textOf([...members, member]);
      case 2:
        return textOf([
          ...members,
          [JSON.stringify(pickOf(this.#random, STORABLE)), this.#wrong()],
        ]);
      case 3:
        return textOf(
          members.toSpliced(at, 1, [member[0], JSON.stringify(pickOf(this.#random, NO_DAYS))]),
        );
      case 4:
        return textOf(
          members.toSpliced(at, 1, [
            member[0],
            JSON.stringify('n'.repeat(pickOf(this.#random, LONG))),
          ]),
        );
      default:
        return textOf(members.toSpliced(at, 1, [member[0], this.#wrong()]));
    }
  }

  /** Bytes that are no such body, most of them no JSON. */
  hostile(given: Schema): Buffer {
    const text = this.valid(given);
    switch (below(this.#random, 9)) {
      case 0:
        return Buffer.from(text.slice(0, below(this.#random, text.length + 1)));
      case 1:
        return Buffer.from(text + pickOf(this.#random, ['}', ',', ' x', '\0', text]));
      case 2:
        return Buffer.from(`\ufeff${text}`);
      case 3:
        return Buffer.from(text, 'utf16le');
      case 4:
        return spoiled(Buffer.from(text), this.#random);
      case 5:
        return Buffer.from(this.#deep());
      case 6:
        return Buffer.from(pickOf(this.#random, BROKEN));
      case 7:
        return Buffer.from(`{"__proto__":${text},"constructor":{"prototype":${text}}}`);
      default:
        return Buffer.alloc(
          below(this.#random, 40) === 0 ? 1_048_577 : below(this.#random, 64),
          ' ',
        );
    }
  }

  #wrong(): string {
    const text = () =>
      JSON.stringify(pickOf(this.#random, [...UNSTORABLE, ...STORABLE, ...NO_DAYS]));
    return pickOf<() => string>(this.#random, [
      text,
      text,
      () => pickOf(this.#random, NUMBERS),
      () => pickOf(this.#random, ['null', 'true', '[]', '{}', '[[]]', '{"a":1,"a":2}']),
      () => `[${text()},${pickOf(this.#random, NUMBERS)}]`,
      () => this.#deep(),
    ])();
  }

  #deep(): string {
    const levels = pickOf(this.#random, DEEP);
    return pickOf(this.#random, [
      '['.repeat(levels) + ']'.repeat(levels),
      `${'{"a":'.repeat(levels)}1${'}'.repeat(levels)}`,
      '['.repeat(levels),
    ]);
  }

  #integer({ minimum, maximum }: Schema): number {
    const among = [this.#id(), this.#id(), 1, minimum ?? -1, maximum ?? 2 ** 31];
    return pickOf(this.#random, among);
  }

  /** Names and values as JSON texts: the required ones, and some of the others. */
  #members({ properties = {}, required = [] }: Schema): readonly (readonly [string, string])[] {
    return Object.entries(properties)
      .filter(([name]) => required.includes(name) || this.#random() < 0.4)
      .map(([name, schema]) => [JSON.stringify(name), this.valid(schema)] as const);
  }

  #resolved(schema: Schema): Schema {
    if (schema.$ref !== undefined) {
      return this.#schemas[schema.$ref.split('/').at(-1) as string] as Schema;
    }
    const others = schema.anyOf ?? schema.oneOf;
    return others === undefined ? schema : this.#resolved(pickOf(this.#random, others));
  }
}

const textOf = (members: readonly (readonly [string, string])[]): string =>
  `{${members.map(([name, value]) => `${name}:${value}`).join(',')}}`;

/** One byte is another. */
function spoiled(bytes: Buffer, random: Random): Buffer {
  if (bytes.length > 0) bytes[below(random, bytes.length)] = below(random, 256);
  return bytes;
}
