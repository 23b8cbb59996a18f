import type { Collection } from '@tandem/storage/collections';
import { expect } from 'vitest';
import type { Api } from './api-over.ts';

type Method = 'GET' | 'HEAD' | 'POST' | 'PATCH' | 'PUT' | 'DELETE';
/** Members of a JSON object by name, each as JSON text: spelling matters here. */
type Members = Readonly<Record<string, string | undefined>>;

const objectText = (members: Members): string =>
  `{${Object.entries(members)
    .filter(([, text]) => text !== undefined)
    .map(([name, text]) => `${JSON.stringify(name)}:${text}`)
    .join(',')}}`;

/** A creation's body, valid for `expense` and `income`; `undefined` leaves a member out. */
export const bodyWith = (members: Members = {}): string =>
  objectText({
    date: '"2025-12-07"',
    category: '"Groceries"',
    amount: '150.50',
    account: '"Cash"',
    ...members,
  });

/** Requests to one collection of an API. `url` follows the collection's path. */
export function recordRequests(api: () => Api, collection: Collection) {
  const { name } = collection;
  const path = `/api/v1/${name}`;
  const hasBusiness = collection.fields.some((field) => field.name === 'business');

  const call = (method: Method, url = '', body?: string, headers: Record<string, string> = {}) =>
    api().app.inject({
      method,
      url: `${path}${url}`,
      ...(body === undefined ? {} : { payload: body }),
      headers: {
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
    });

  return {
    path,
    call,

    /** The canonical text of the record that `bodyWith` with the same members makes. */
    recordText: (id: number, members: Members = {}): string =>
      objectText({
        date: '"2025-12-07"',
        business: hasBusiness ? 'null' : undefined,
        category: '"Groceries"',
        amount: '150.5',
        account: '"Cash"',
        currency: '"₪"',
        notes: 'null',
        ...members,
        id: String(id),
      }),

    /** Creates a record and gives its id. */
    async create(members: Members = {}): Promise<number> {
      const response = await call('POST', '', bodyWith(members));
      expect(response.statusCode).toBe(200);
      return response.json()[name].id;
    },
  };
}
