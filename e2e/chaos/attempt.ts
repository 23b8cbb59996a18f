import type { Call, Expense, Outcome } from './history.ts';

/** A request that was not answered for so long may still have an effect. */
const ANSWER_TIMEOUT_MS = 8_000;
const PATH = '/api/v1/expense';
const LIST_LENGTH = 60;

/** Problems of which the catalogue does not say that nothing was written. */
const UNKNOWN = new Set(['outcome-unknown', 'storage-failed', 'internal', 'request-timeout']);
/** There was nobody to hear it. */
const NOT_SENT = new Set(['ECONNREFUSED', 'EADDRNOTAVAIL']);

export interface Attempt {
  readonly outcome: Outcome;
  readonly told: string;
  readonly record?: Expense | null;
  readonly records?: readonly Expense[];
  readonly count?: number;
}

/** Asks once. What is not a clear answer is `unknown`; a `404` is an answer. */
export async function attempt(origin: string, call: Call, key?: string): Promise<Attempt> {
  const { method, path, body } = requestOf(call);
  const headers = {
    ...(body === undefined ? {} : { 'content-type': 'application/json' }),
    ...(key === undefined ? {} : { 'idempotency-key': key }),
  };
  try {
    const answer = await fetch(`${origin}${path}`, {
      ...{ method, headers, signal: AbortSignal.timeout(ANSWER_TIMEOUT_MS) },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
    return answered(call, answer.status, await answer.json());
  } catch (error) {
    const code = codeOf(error);
    return { outcome: NOT_SENT.has(code) ? 'failed' : 'unknown', told: code };
  }
}

function requestOf(call: Call): { method: string; path: string; body?: object } {
  switch (call.kind) {
    case 'create':
      return { method: 'POST', path: PATH, body: { date: DATE, ...call.set } };
    case 'update':
      return updateOf(call.id, Object.entries(call.set));
    case 'delete':
      return { method: 'DELETE', path: `${PATH}/${call.id}` };
    case 'bulk-delete':
      return { method: 'POST', path: `${PATH}/bulk-delete`, body: { ids: call.ids } };
    case 'read':
      return { method: 'GET', path: `${PATH}/${call.id}` };
    case 'list':
      return { method: 'GET', path: `${PATH}?limit=${LIST_LENGTH}` };
  }
}

/** Of every expense, so that a list by date is one by id. */
export const DATE = '2025-12-07';

/** PATCH takes one field, PUT any. */
function updateOf(id: number, set: readonly (readonly [string, unknown])[]) {
  const [first] = set;
  const path = `${PATH}/${id}`;
  return set.length === 1 && first !== undefined
    ? { method: 'PATCH', path, body: { field: first[0], value: first[1] } }
    : { method: 'PUT', path, body: Object.fromEntries(set) };
}

function answered(call: Call, status: number, body: unknown): Attempt {
  const told = String(status);
  if (status === 200) return { outcome: 'ok', told, ...contentOf(call, body) };
  const type = String((body as { type?: unknown }).type ?? '').replace('/problems/', '');
  if (status === 404 && 'id' in call) return { outcome: 'ok', told, record: null };
  return { outcome: UNKNOWN.has(type) ? 'unknown' : 'failed', told: `${status} ${type}` };
}

function contentOf(call: Call, body: unknown): Pick<Attempt, 'record' | 'records' | 'count'> {
  switch (call.kind) {
    case 'create':
    case 'update':
      return { record: (body as { expense: Expense }).expense };
    case 'read':
      return { record: body as Expense };
    case 'list':
      return { records: body as Expense[] };
    case 'bulk-delete':
      return { count: (body as { count: number }).count };
    case 'delete':
      return {};
  }
}

function codeOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  const code = cause instanceof Error ? (cause as NodeJS.ErrnoException).code : undefined;
  return code ?? (cause instanceof Error ? cause.message : error.name);
}
