import { expect } from 'vitest';
import { call } from './record-client.ts';

type Json = Record<string, unknown>;

/** Writes that bring a disk to its end, at most: a page of the journal holds fewer. */
const WRITES_MAX = 100;

/** A client that creates expenses and remembers what was acknowledged, and what it was not told. */
export class AcknowledgedWrites {
  readonly acknowledged = new Map<number, Json>();
  readonly #unknown = new Set<string>();
  #count = 0;

  /** @returns the answer */
  async create(origin: string): Promise<{ status: number; body: Json }> {
    const notes = `n${++this.#count}`;
    const sent = { date: '2025-12-07', category: 'Food', amount: 1, account: 'Cash', notes };
    const answer = (await call(origin, 'POST', '/api/v1/expense', sent)) as {
      status: number;
      body: { expense: Json } & Json;
    };
    const { status, body } = answer;
    if (status === 200) this.acknowledged.set(body.expense.id as number, body.expense);
    else if (body.type === '/problems/outcome-unknown') this.#unknown.add(notes);
    return answer;
  }

  /** Writes until one is answered with this status. */
  async createUntil(origin: string, status: number): Promise<void> {
    for (let writes = 0; writes < WRITES_MAX; writes++) {
      if ((await this.create(origin)).status === status) return;
    }
    throw new Error(`${WRITES_MAX} writes, and none was answered with ${status}.`);
  }

  /** Everything acknowledged is served as it was; beside it at most what nobody was told about. */
  async areServed(origin: string): Promise<void> {
    const { status, body } = await call(origin, 'GET', '/api/v1/expense');
    expect(status).toBe(200);
    this.areAmong(body as Json[]);
  }

  areAmong(records: readonly Json[]): void {
    const known = records.filter(({ id }) => this.acknowledged.has(id as number));
    expect(new Map(known.map((record) => [record.id, record]))).toEqual(this.acknowledged);
    for (const { id, notes } of records) {
      if (!this.acknowledged.has(id as number)) expect([...this.#unknown]).toContain(notes);
    }
  }
}
