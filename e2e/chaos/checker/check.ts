import type { Expense, Operation } from '../history.ts';
import { type Judged, ordersWithout } from './orders.ts';
import { canonical, isSame, textOf } from './record-steps.ts';
import { seenTexts, textsOf } from './seen-texts.ts';

/** What each store holds when all is quiet. */
export interface FinalState {
  /** When it was read, in the history's clock. */
  readonly atMs: number;
  readonly json: ReadonlyMap<number, Expense>;
  readonly postgres: ReadonlyMap<number, Expense>;
}

export interface Violation {
  /** One sentence. */
  readonly what: string;
  readonly id?: number;
  /** The record's history, and what the stores hold. */
  readonly lines: readonly string[];
}

/** Texts of a record's history that are shown. */
const LINES_MAX = 60;

/**
 * Judges a history against what the stores hold at its end: nothing acknowledged is missing, nothing
 * that was refused is there, what is unknown is there whole or not at all, nothing comes back, what
 * happened to each record has an order that all answers agree with, no id was given twice, and both
 * stores say the same. Pure, but for what it notes in `judged`.
 * @param judged of an earlier judgement of the same history, which has grown since
 */
export function checkHistory(
  operations: readonly Operation[],
  final: FinalState,
  judged: Judged = new Map(),
): readonly Violation[] {
  const firsts = operations.filter(({ isRepeat }) => isRepeat !== true);
  const found = adoptUnknownCreations(firsts, final);
  const seen = seenTexts(found, final);
  const context = { operations: found, final, byRecord: operationsByRecord(found), seen };
  return [
    ...repeatsAnsweredOtherwise(context, operations),
    ...storesDiffer(context),
    ...idsGivenTwice(context),
    ...markersTwice(context),
    ...refusedIsThere(context),
    ...bulkDeletionsInHalves(context),
    ...withoutOrder(context, judged),
  ];
}

interface Context {
  readonly operations: readonly Operation[];
  readonly final: FinalState;
  readonly byRecord: ReadonlyMap<number, readonly Operation[]>;
  /** Every text that was seen in a record, by anybody. */
  readonly seen: ReadonlySet<string>;
}

/** A creation whose answer was lost has the record that bears its text, if there is one. */
function adoptUnknownCreations(
  operations: readonly Operation[],
  { json, postgres }: FinalState,
): readonly Operation[] {
  const byText = new Map<string, Expense>();
  const see = (record: Expense) => {
    if (record.business !== null && !byText.has(record.business))
      byText.set(record.business, record);
  };
  for (const { records = [] } of operations) for (const one of records) see(one);
  for (const record of [...json.values(), ...postgres.values()]) see(record);
  return operations.map((operation) => {
    const { call, outcome } = operation;
    if (call.kind !== 'create' || outcome !== 'unknown') return operation;
    const seen = byText.get(call.set.business ?? '');
    if (seen === undefined) return operation;
    return { ...operation, record: { id: seen.id, date: seen.date, ...call.set } };
  });
}

function operationsByRecord(
  operations: readonly Operation[],
): ReadonlyMap<number, readonly Operation[]> {
  const byRecord = new Map<number, Operation[]>();
  const note = (id: number, operation: Operation) => {
    const known = byRecord.get(id);
    if (known === undefined) byRecord.set(id, [operation]);
    else known.push(operation);
  };
  for (const operation of operations) {
    const { call, record } = operation;
    if ('id' in call) note(call.id, operation);
    else if (call.kind === 'bulk-delete') for (const id of call.ids) note(id, operation);
    else if (call.kind === 'create' && record) note(record.id, operation);
  }
  return byRecord;
}

function violationOf({ byRecord, final }: Context, id: number, what: string): Violation {
  const operations = byRecord.get(id) ?? [];
  const last = operations.slice(-LINES_MAX).map((operation) => textOf(operation, id));
  const left = operations.length - last.length;
  const held = (store: ReadonlyMap<number, Expense>) => JSON.stringify(store.get(id) ?? null);
  return {
    what,
    id,
    lines: [
      ...(left > 0 ? [`… ${left} earlier operations`] : []),
      ...last,
      `JSON holds       ${held(final.json)}`,
      `PostgreSQL holds ${held(final.postgres)}`,
    ],
  };
}

function storesDiffer(context: Context): Violation[] {
  const { json, postgres } = context.final;
  return [...new Set([...json.keys(), ...postgres.keys()])].flatMap((id) => {
    const [here, there] = [json.get(id), postgres.get(id)];
    if (here !== undefined && there !== undefined && isSame(here, there)) return [];
    return [violationOf(context, id, `I8: the stores hold different things of expense ${id}.`)];
  });
}

function idsGivenTwice(context: Context): Violation[] {
  return [...context.byRecord].flatMap(([id, operations]) => {
    const created = operations.filter(({ call }) => call.kind === 'create');
    if (created.length < 2) return [];
    return [violationOf(context, id, `I9: the id ${id} was given ${created.length} times.`)];
  });
}

/** Of every written text there is one: a record that bears another's is a write done twice. */
function markersTwice(context: Context): Violation[] {
  const bearers = new Map<string, number>();
  return [...context.final.json.values()].flatMap(({ id, business }) => {
    const other = business === null ? undefined : bearers.get(business);
    if (business !== null) bearers.set(business, id);
    if (other === undefined) return [];
    const what = `I10: one creation had two effects, the expenses ${other} and ${id}.`;
    return [violationOf(context, id, what)];
  });
}

/** What a repetition with its key is answered: as the first time, or that it can't be answered now. */
function repeatsAnsweredOtherwise(context: Context, operations: readonly Operation[]): Violation[] {
  const answers = new Map<string, string>();
  for (const operation of context.operations) {
    const { key, outcome } = operation;
    if (key !== undefined && outcome === 'ok') answers.set(key, answerOf(operation));
  }
  return operations.flatMap((operation) => {
    const { isRepeat, key = '', outcome, told, call, record } = operation;
    const isOther =
      outcome === 'ok' ? answers.get(key) !== answerOf(operation) : told.endsWith('key-reused');
    if (isRepeat !== true || !isOther) return [];
    const id = 'id' in call ? call.id : (record?.id ?? 0);
    const what = `I10: repeated with its key ${key}, a request was answered ${told} ${answerOf(operation)} instead of ${answers.get(key)}.`;
    return [violationOf(context, id, what)];
  });
}

const answerOf = ({ record, count }: Operation): string =>
  record ? canonical(record) : JSON.stringify(record ?? count ?? 'done');

function refusedIsThere(context: Context): Violation[] {
  const { seen } = context;
  return context.operations.flatMap((operation) => {
    const { call, outcome, told } = operation;
    if (outcome !== 'failed' || !('set' in call)) return [];
    const text = textsOf(call.set).find((one) => seen.has(one));
    if (text === undefined) return [];
    const id = call.kind === 'update' ? call.id : idBearing(context, text);
    const what = `A write that was refused (${told}) is there: "${text}".`;
    return [violationOf(context, id, what)];
  });
}

const idBearing = ({ final }: Context, text: string): number =>
  [...final.json.values()].find((record) => textsOf(record).includes(text))?.id ?? 0;

/** Those deleted together are of one client alone: each is there before, and all or none after. */
function bulkDeletionsInHalves(context: Context): Violation[] {
  const { operations, final } = context;
  return operations.flatMap(({ call, outcome, count }) => {
    if (call.kind !== 'bulk-delete') return [];
    const left = call.ids.filter((id) => final.json.has(id)).length;
    const all = call.ids.length;
    const isWhole = { ok: left === 0, failed: left === all, unknown: left === 0 || left === all };
    const id = call.ids[0] as number;
    const ids = call.ids.join(', ');
    if (!isWhole[outcome]) {
      const what = `A bulk deletion of ${ids} was told "${outcome}", and ${left} are there.`;
      return [violationOf(context, id, what)];
    }
    if (outcome !== 'ok' || count === all) return [];
    return [violationOf(context, id, `A bulk deletion of ${ids} counted ${count}.`)];
  });
}

/** Records of which no order of what happened agrees with every answer, the final state included. */
const withoutOrder = (context: Context, judged: Judged): Violation[] =>
  ordersWithout(context, judged).map(({ id, what, lines }) => {
    const violation = violationOf(context, id, what);
    return { ...violation, lines: [...violation.lines, ...lines] };
  });
