import type { Expense, Operation } from '../history.ts';
import type { Step } from './linearizable.ts';

/** A record's life: it is made once, and never comes back. */
export type Life = 'unborn' | 'deleted' | Expense;

/** What an operation means for one record; `undefined` when nothing. */
export function stepOf(operation: Operation, id: number): Step<Life> | undefined {
  const apply = applyOf(operation, id);
  if (apply === undefined) return undefined;
  const { startMs, endMs } = operation;
  return {
    ...{ startMs, endMs, apply },
    // Made when it is shown: most steps never are.
    get text() {
      return textOf(operation, id);
    },
  };
}

type Apply = Step<Life>['apply'];

function applyOf(operation: Operation, id: number): Apply | undefined {
  const { call, outcome, record, records } = operation;
  if (outcome === 'failed') return undefined;
  const isKnown = outcome === 'ok';
  switch (call.kind) {
    case 'create':
      // Of one that was not acknowledged the record is the one that was found with its texts.
      if (record?.id !== id) return undefined;
      return (life) => (life === 'unborn' ? record : undefined);
    case 'update':
      if (call.id !== id) return undefined;
      if (isKnown && record === null) return meets(null);
      return (life) => {
        if (typeof life === 'string') return undefined;
        const next = { ...life, ...call.set };
        return !isKnown || (record && isSame(record, next)) ? next : undefined;
      };
    case 'delete':
      if (call.id !== id) return undefined;
      return isKnown && record === null ? meets(null) : dies;
    case 'bulk-delete':
      if (!call.ids.includes(id)) return undefined;
      return isKnown ? (life) => (life === 'unborn' ? undefined : 'deleted') : dies;
    case 'read':
      if (call.id !== id || !isKnown) return undefined;
      return meets(record ?? null);
    case 'list':
      return isKnown && records !== undefined ? listed(records, id) : undefined;
  }
}

const dies: Apply = (life) => (typeof life === 'string' ? undefined : 'deleted');

/** It was seen like this, or was not there. */
const meets =
  (found: Expense | null): Apply =>
  (life) => {
    if (found === null) return typeof life === 'string' ? life : undefined;
    return typeof life !== 'string' && isSame(found, life) ? life : undefined;
  };

/** A list says of a record below its lowest id nothing. */
function listed(records: readonly Expense[], id: number): Apply | undefined {
  const found = records.find((record) => record.id === id);
  if (found !== undefined) return meets(found);
  const lowest = records.at(-1)?.id;
  return lowest !== undefined && id > lowest ? meets(null) : undefined;
}

/** Whether two texts of a record say the same; the order of fields says nothing. */
export const isSame = (one: Expense, other: Expense): boolean =>
  canonical(one) === canonical(other);

export const canonical = (record: Expense): string =>
  JSON.stringify(Object.entries(record).sort(([a], [b]) => (a < b ? -1 : 1)));

/** One line of a record's history. */
export function textOf(operation: Operation, id: number): string {
  const { client, call, startMs, endMs, outcome, told, attempts, records, key, via } = operation;
  const record = records?.find((one) => one.id === id) ?? operation.record;
  const seen = record === undefined ? '' : ` → ${record === null ? 'none' : shown(record)}`;
  const set = 'set' in call ? ` ${JSON.stringify(call.set)}` : '';
  const keyed = key === undefined ? '' : `, key ${key}, ${attempts} attempts`;
  const span = `${startMs.toFixed(1)} – ${Number.isFinite(endMs) ? endMs.toFixed(1) : '?'}`;
  const at = via === undefined ? '' : ` at ${via}`;
  return `${span}  ${client}${at}: ${call.kind}${set} ${outcome} (${told}${keyed})${seen}`;
}

const shown = ({ amount, business, notes }: Expense): string =>
  JSON.stringify({ amount, business, notes });
