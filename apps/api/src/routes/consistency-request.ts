import { isExactNumber } from '@tandem/storage/collections';
import type {
  ConsistencyOrder,
  LedgerFilter,
  LedgerPage,
  OrderScope,
  RepairScope,
  Side,
} from '@tandem/storage/consistency';
import type { VerifyListPage } from '@tandem/storage/postgres';
import type { FastifyRequest } from 'fastify';
import type { RequestProblem } from '../problem.ts';
import { readWholeNumber } from './operator-query.ts';
import { askedOf, bodyOf, refuse } from './operator-request.ts';

export const LEDGER_LIMIT = 50;
export const LEDGER_LIMIT_MAX = 500;
export const LIST_LIMIT = 20;
export const LIST_LIMIT_MAX = 200;
export const ORDER_KINDS = ['verify', 'repair', 'backfill'] as const;
export const FOUND_BY = ['verify', 'apply', 'shadow-read'] as const;
const IDS_MAX = 1_000;
const NAME_LENGTH_MAX = 100;

type Order = Pick<ConsistencyOrder, 'what' | 'actor' | 'reason'>;
type Body = Readonly<Record<string, unknown>>;

interface By {
  readonly actor: string;
  readonly reason: string;
}

/** A whole number of a body, where numbers keep their spelling; `undefined` for anything else. */
function countOf(value: unknown): number | undefined {
  const spelling = isExactNumber(value) ? value.rawJSON : '';
  return /^\d{1,15}$/.test(spelling) ? Number(spelling) : undefined;
}

const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && value.length <= NAME_LENGTH_MAX;

/** @throws {TandemError} `invalid`, as each of these */
export function readVerifyOrder(request: FastifyRequest): Order {
  const body = bodyOf(request);
  const problems: RequestProblem[] = [];
  const { actor, reason } = askedOf(request, body, problems);
  const mode = body.mode ?? 'changed';
  if (mode === 'full' || mode === 'changed') {
    return sound(problems, { what: { kind: 'verify', mode }, actor, reason });
  }
  return refuse([...problems, { field: 'mode', problem: 'must be full or changed' }]);
}

/** What one record, or one run, needs. */
export function readRepair(request: FastifyRequest): Order {
  const body = bodyOf(request);
  const problems: RequestProblem[] = [];
  const { actor, reason, dryRun = false } = askedOf(request, body, problems);
  const { collection } = body;
  const [run, id] = [countOf(body.run), countOf(body.id)];
  const isRecord = isName(collection) && id !== undefined && body.run === undefined;
  const isRun = run !== undefined && collection === undefined && body.id === undefined;
  if (!isRecord && !isRun) {
    problems.push({ field: 'run', problem: 'name a run, or a record by collection and id' });
  }
  const scope: RepairScope = isRecord ? { collection, id } : { runId: run ?? 0 };
  return sound(problems, { what: { kind: 'repair', scope, keep: null, dryRun }, actor, reason });
}

/** Which side counts, of some entries or of a run. */
export function readChoice(request: FastifyRequest): Order {
  const body = bodyOf(request);
  const problems: RequestProblem[] = [];
  const { actor, reason, dryRun = false } = askedOf(request, body, problems);
  const keep = SIDES.find((side) => side === body.keep) ?? null;
  if (keep === null) problems.push({ field: 'keep', problem: 'must be primary or secondary' });
  const run = countOf(body.run);
  const scope: RepairScope =
    run !== undefined && body.ids === undefined
      ? { runId: run }
      : { entryIds: idsOf(body, problems) };
  return sound(problems, { what: { kind: 'repair', scope, keep, dryRun }, actor, reason });
}

const SIDES: readonly Side[] = ['primary', 'secondary'];

export function readAcceptance(request: FastifyRequest): { ids: readonly number[]; by: By } {
  const body = bodyOf(request);
  const problems: RequestProblem[] = [];
  const { actor, reason } = askedOf(request, body, problems);
  return sound(problems, { ids: idsOf(body, problems), by: { actor, reason } });
}

export function readBudget(request: FastifyRequest): {
  budget: { readonly collection: string; readonly allowed: number };
  by: By;
} {
  const body = bodyOf(request);
  const problems: RequestProblem[] = [];
  const { actor, reason } = askedOf(request, body, problems);
  const { collection } = request.params as { collection: string };
  const allowed = countOf(body.allowed) ?? -1;
  if (allowed < 0 || allowed > 1_000_000) {
    problems.push({ field: 'allowed', problem: 'must be a whole number from 0 to 1000000' });
  }
  return sound(problems, {
    budget: { collection, allowed },
    by: { actor, reason },
  });
}

export function readLedgerQuery(request: FastifyRequest): {
  filter: LedgerFilter;
  page: LedgerPage;
} {
  const query = request.query as Readonly<Record<string, unknown>>;
  const problems: RequestProblem[] = [];
  const number = (field: string, max: number): number | undefined => {
    const given = query[field];
    if (given === undefined) return undefined;
    const value = typeof given === 'string' && /^\d{1,9}$/.test(given) ? Number(given) : -1;
    if (value < 0 || value > max) {
      problems.push({ field, problem: `must be a whole number from 0 to ${max}` });
    }
    return value;
  };
  const { state = 'open', collection, class: name, foundBy } = query;
  if (state !== 'open' && state !== 'all') {
    problems.push({ field: 'state', problem: 'must be open or all' });
  }
  const [run, recordId] = [number('run', 999_999_999), number('record', 999_999_999)];
  const found = FOUND_BY.find((one) => one === foundBy);
  if (foundBy !== undefined && found === undefined) {
    problems.push({ field: 'foundBy', problem: `must be one of ${FOUND_BY.join(', ')}` });
  }
  const after = number('after', 999_999_999);
  const limit = number('limit', LEDGER_LIMIT_MAX) ?? LEDGER_LIMIT;
  const filter: LedgerFilter = {
    ...(state === 'open' ? { isOpen: true } : {}),
    ...(isName(collection) ? { collection } : {}),
    ...(isName(name) ? { class: name } : {}),
    ...(found === undefined ? {} : { foundBy: found }),
    ...(run === undefined ? {} : { runId: run }),
    ...(recordId === undefined ? {} : { recordId }),
  };
  const page = { limit: Math.max(1, limit), ...(after === undefined ? {} : { after }) };
  return sound(problems, { filter, page });
}

/** A page of the runs there were. */
export function readRunsQuery(request: FastifyRequest): VerifyListPage {
  const query = request.query as Readonly<Record<string, unknown>>;
  const problems: RequestProblem[] = [];
  const limit = readWholeNumber('limit', query.limit, LIST_LIMIT_MAX, problems) ?? LIST_LIMIT;
  const before = readWholeNumber('before', query.before, 2 ** 31 - 1, problems);
  return sound(problems, { limit, ...(before === undefined ? {} : { before }) });
}

/** The latest orders of a kind. */
export function readOrdersQuery(request: FastifyRequest): {
  readonly kind: OrderScope['kind'];
  readonly limit: number;
} {
  const query = request.query as Readonly<Record<string, unknown>>;
  const problems: RequestProblem[] = [];
  const limit = readWholeNumber('limit', query.limit, LIST_LIMIT_MAX, problems) ?? LIST_LIMIT;
  const kind = ORDER_KINDS.find((one) => one === query.kind);
  if (kind !== undefined) return sound(problems, { kind, limit });
  return refuse([
    ...problems,
    { field: 'kind', problem: `must be one of ${ORDER_KINDS.join(', ')}` },
  ]);
}

function idsOf({ ids }: Body, problems: RequestProblem[]): readonly number[] {
  const counts = Array.isArray(ids) ? ids.map((id) => countOf(id) ?? Number.NaN) : [];
  const isFew = counts.length > 0 && counts.length <= IDS_MAX;
  if (isFew && counts.every((id) => id < 2 ** 31)) return counts;
  problems.push({ field: 'ids', problem: `must be a list of 1 to ${IDS_MAX} ids` });
  return [];
}

const sound = <T>(problems: readonly RequestProblem[], value: T): T =>
  problems.length > 0 ? refuse(problems) : value;
