import { expect } from 'vitest';
import { call, legacyFile, query } from './record-client.ts';

type Json = Record<string, unknown>;

const SHAPES = {
  expense: { plural: 'expenses', optional: { business: 'ampm' } },
  income: { plural: 'incomes', optional: {} },
} as const;
type CollectionName = keyof typeof SHAPES;
const NAMES = Object.keys(SHAPES) as CollectionName[];

/** The fields of one table as the API spells them, by ascending id. */
const rowsOf = (name: CollectionName): string => `
  SELECT to_char(date, 'YYYY-MM-DD') AS date, ${name === 'expense' ? 'business,' : ''} category,
         amount::float8 AS amount, account, currency, notes, id
  FROM ${SHAPES[name].plural} ORDER BY id`;

/** A client that remembers what it was told: the records that must be there, and every id given. */
export class Household {
  readonly #records = new Map<CollectionName, Map<number, Json>>(
    NAMES.map((name) => [name, new Map()]),
  );
  readonly #idsGiven = new Map<CollectionName, Set<number>>(NAMES.map((name) => [name, new Set()]));
  #counter = 0;

  records(name: CollectionName): Map<number, Json> {
    return this.#records.get(name) as Map<number, Json>;
  }

  /** Creates two records of each collection, changes one of all there are, and deletes another. */
  async live(origin: string, label: string): Promise<void> {
    for (const name of NAMES) {
      await this.create(origin, name, `${label} one`);
      await this.create(origin, name, `${label} two`);
      const [oldest] = this.records(name).keys();
      await this.#change(origin, name, oldest as number, label);
      const ids = [...this.records(name).keys()];
      await this.#delete(origin, name, ids[Math.floor(ids.length / 2)] as number);
      await this.isServed(origin, name);
    }
  }

  async create(origin: string, name: CollectionName, notes: string): Promise<void> {
    this.#counter += 1;
    const day = String((this.#counter % 28) + 1).padStart(2, '0');
    const sent = {
      date: `2025-11-${day}`,
      ...SHAPES[name].optional,
      category: '₪ e\u0301',
      amount: this.#counter + 0.05,
      account: 'Cash',
      notes,
    };
    const answer = await call(origin, 'POST', `/api/v1/${name}`, sent);
    expect(answer.status).toBe(200);
    const record = (answer.body as Record<string, Json>)[name] as Json;
    expect(record).toEqual({ currency: '₪', ...sent, id: expect.any(Number) });
    this.#remember(name, record);
  }

  /** Keeps an acknowledged creation. An id given twice fails here (I9). */
  #remember(name: CollectionName, record: Json): void {
    const id = record.id as number;
    const given = this.#idsGiven.get(name) as Set<number>;
    expect(given).not.toContain(id);
    given.add(id);
    this.records(name).set(id, record);
  }

  async #change(origin: string, name: CollectionName, id: number, label: string): Promise<void> {
    const patch = { field: 'amount', value: '-0.10' };
    const patched = await call(origin, 'PATCH', `/api/v1/${name}/${id}`, patch);
    expect(patched.status).toBe(200);
    const put = await call(origin, 'PUT', `/api/v1/${name}/${id}`, {
      notes: `changed in ${label}`,
    });
    expect(put.status).toBe(200);
    const record = { ...this.records(name).get(id), amount: -0.1, notes: `changed in ${label}` };
    expect((put.body as Json)[name]).toEqual(record);
    this.records(name).set(id, record);
  }

  async #delete(origin: string, name: CollectionName, id: number): Promise<void> {
    const answer = await call(origin, 'DELETE', `/api/v1/${name}/${id}`);
    expect(answer).toEqual({ status: 200, body: { status: 'deleted', id } });
    this.records(name).delete(id);
  }

  /** The list is exactly what was acknowledged, newest date first, then highest id. */
  async isServed(origin: string, name: CollectionName): Promise<void> {
    const { body } = await call(origin, 'GET', `/api/v1/${name}`);
    const expected = [...this.records(name).values()].sort(
      (a, b) => String(b.date).localeCompare(String(a.date)) || (b.id as number) - (a.id as number),
    );
    expect(body).toEqual(expected);
  }

  /** The checkpoint files hold exactly what was acknowledged, in id order. */
  isInJson(jsonDir: string): void {
    for (const name of NAMES) {
      expect(legacyFile(jsonDir, `${SHAPES[name].plural}.json`)).toEqual(this.#byId(name));
    }
  }

  async isInPostgres(url: string): Promise<void> {
    for (const name of NAMES) expect(await query(url, rowsOf(name))).toEqual(this.#byId(name));
  }

  #byId(name: CollectionName): Json[] {
    return [...this.records(name).values()].sort((a, b) => (a.id as number) - (b.id as number));
  }
}
