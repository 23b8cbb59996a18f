import { canonicalText, withFields } from '../collections/index.ts';
import type { Change } from './change.ts';
import type { Command, Outcome, Precondition, Rewrite, Write } from './command.ts';
import { compareStamps, type Stamp } from './stamp.ts';

/** A live record as planning sees it. */
export interface CurrentRecord extends Stamp {
  readonly text: string;
}

/** The facts a plan is computed from; the store supplies them inside its own atomic step. */
export interface PlanContext {
  /** The epoch of the phase in force in that step. */
  readonly epoch: number;
  /** ISO instant of the step. */
  readonly at: string;
  /** The next id of the collection, never given before. */
  nextId(): number;
  /** The record's state including the changes planned earlier in the same step. */
  current(id: number): CurrentRecord | undefined;
}

export interface Plan {
  readonly outcome: Outcome;
  readonly changes: readonly Change[];
}

const accepts = (ifMatch: Precondition | undefined, current: Stamp): boolean =>
  ifMatch === undefined ||
  ifMatch === '*' ||
  ifMatch.some((stamp) => compareStamps(stamp, current) === 0);

/**
 * Computes what a write does to the records, without doing it. Both stores call this one function,
 * so a write means the same in either. A bulk deletion is one plan: all or nothing.
 */
export function plan(write: Write, context: PlanContext): Plan {
  const { command } = write;
  switch (command.op) {
    case 'create':
      return planCreate(command, write, context);
    case 'update':
      return planUpdate(command, write, context);
    case 'delete':
      return planDelete(command, write, context);
    case 'bulk-delete':
      return planBulkDelete(command, write, context);
    case 'rewrite':
      return planRewrite(command, write, context);
  }
}

type CommandOf<Op extends Command['op']> = Extract<Command, { op: Op }>;

function planCreate(command: CommandOf<'create'>, write: Write, context: PlanContext): Plan {
  const id = context.nextId();
  const text = canonicalText(command.collection, { values: command.values, extra: null }, id);
  const stamp = { epoch: context.epoch, version: 1 };
  const change = changeOf(write, context, { id, ...stamp, base: null, op: 'create', record: text });
  return { outcome: { kind: 'created', id, ...stamp, text }, changes: [change] };
}

function planUpdate(command: CommandOf<'update'>, write: Write, context: PlanContext): Plan {
  const { collection, id, set, ifMatch } = command;
  const current = context.current(id);
  if (current === undefined) return nothing({ kind: 'not-found', id });
  if (!accepts(ifMatch, current)) return preconditionFailed(id, current);
  const next = withFields(collection, current.text, id, set);
  if (!next.ok) return nothing({ kind: 'invalid', id, problems: next.problems });
  const stamp = { epoch: context.epoch, version: current.version + 1 };
  const change = changeOf(write, context, {
    id,
    ...stamp,
    base: stampOf(current),
    op: 'update',
    record: next.text,
  });
  return { outcome: { kind: 'updated', id, ...stamp, text: next.text }, changes: [change] };
}

function planDelete(command: CommandOf<'delete'>, write: Write, context: PlanContext): Plan {
  const { id, ifMatch } = command;
  const current = context.current(id);
  if (current === undefined) return nothing({ kind: 'not-found', id });
  if (!accepts(ifMatch, current)) return preconditionFailed(id, current);
  return { outcome: { kind: 'deleted', id }, changes: [deletion(id, current, write, context)] };
}

function planBulkDelete(
  command: CommandOf<'bulk-delete'>,
  write: Write,
  context: PlanContext,
): Plan {
  const changes: Change[] = [];
  for (const id of new Set(command.ids)) {
    const current = context.current(id);
    if (current !== undefined) changes.push(deletion(id, current, write, context));
  }
  return { outcome: { kind: 'bulk-deleted', count: changes.length }, changes };
}

/** A base no older than what the secondary has: its guard then sees a descendant, whatever it has. */
function planRewrite(command: Rewrite, write: Write, context: PlanContext): Plan {
  const { id, above, instead } = command;
  const current = context.current(id);
  if (instead !== undefined && !isAt(current, instead.at)) {
    return current === undefined
      ? nothing({ kind: 'not-found', id })
      : preconditionFailed(id, current);
  }
  const record = instead === undefined ? (current?.text ?? null) : instead.text;
  const known = [current, above].filter((stamp) => stamp !== undefined && stamp !== null);
  if (known.length === 0) return nothing({ kind: 'not-found', id });
  // What was typed into a database by hand may have stamps that no store gives.
  const base = {
    epoch: Math.max(1, ...known.map(({ epoch }) => epoch)),
    version: Math.max(1, ...known.map(({ version }) => version)),
  };
  const stamp = { epoch: context.epoch, version: base.version + 1 };
  const op = record === null ? 'delete' : 'update';
  const change = changeOf(write, context, { id, ...stamp, base, op, record });
  const outcome: Outcome =
    record === null ? { kind: 'deleted', id } : { kind: 'updated', id, ...stamp, text: record };
  return { outcome, changes: [change] };
}

const isAt = (current: Stamp | undefined, at: Stamp | null): boolean =>
  current === undefined || at === null
    ? current === undefined && at === null
    : compareStamps(current, at) === 0;

const nothing = (outcome: Outcome): Plan => ({ outcome, changes: [] });

const stampOf = ({ epoch, version }: Stamp): Stamp => ({ epoch, version });

const preconditionFailed = (id: number, current: Stamp): Plan =>
  nothing({ kind: 'precondition-failed', id, current: stampOf(current) });

function deletion(id: number, current: Stamp, write: Write, context: PlanContext): Change {
  return changeOf(write, context, {
    id,
    epoch: context.epoch,
    version: current.version + 1,
    base: stampOf(current),
    op: 'delete',
    record: null,
  });
}

function changeOf(
  { command, key }: Write,
  { at }: PlanContext,
  { id, epoch, version, base, op, record }: Omit<Change, 'collection' | 'at' | 'idempotencyKey'>,
): Change {
  const { name: collection } = command.collection;
  const change = { collection, id, epoch, version, base, op, record, at };
  return key === undefined ? change : { ...change, idempotencyKey: key.key };
}
