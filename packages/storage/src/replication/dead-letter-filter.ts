import { canonicalDecimal } from '../collections/index.ts';
import { TandemError } from '../errors.ts';
import type { StoreName } from '../phase/index.ts';
import { QUEUES } from './job-sink.ts';
import { deadLetterQueueOf } from './queues.ts';

/** Which dead letters are meant; what is left out does not narrow. */
export interface DeadLetterFilter {
  /** The store they should have reached. */
  readonly direction?: StoreName;
  readonly jobIds?: readonly string[];
  /** Collection name; letters that carry no change have none. */
  readonly collection?: string;
  readonly recordId?: number;
  readonly cause?: string;
  /** The kind of failure, as a group has it. */
  readonly fingerprint?: string;
  /** Dead since before this instant. */
  readonly olderThan?: Date;
  /** Dead since this instant or later. */
  readonly newerThan?: Date;
  /** A part of what the letter carries, as it is or as JSON spells it. ASCII letters match in either
   *  case, others as the database's locale has it. */
  readonly contains?: string;
  /** A field of the record that has this value; `null` by name. */
  readonly field?: { readonly name: string; readonly value: string };
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
export const DIRECTIONS: readonly StoreName[] = ['postgres', 'json'];

/** What a letter has that no worker of ours failed. */
export const NO_FINGERPRINT = 'unknown';

/** The cause as `DeadLetter.cause` has it; what failed outside of the worker has none. */
export const CAUSE = `CASE WHEN jsonb_typeof(source_output->'cause') = 'string'
  THEN source_output->>'cause' ELSE 'unknown' END`;

/** The fingerprint as `DeadLetter.fingerprint` has it. */
export const FINGERPRINT = `coalesce(source_output->>'fingerprint', '${NO_FINGERPRINT}')`;

/** The canonical text, or what else a letter carries. */
const PAYLOAD = `coalesce(data #>> '{change,record}', data #>> '{key,outcome}', data::text)`;

/** Beside a condition that counts: as pg-boss's index over live jobs has it, which then is all that is
 *  read. Beside one that pages, the planner would take that index and sort. */
export const LIVE = "state IN ('created', 'retry', 'active')";
export const NOT_ENDED = "state < 'completed'";

/** A `WHERE` over pg-boss's job table, and its values. */
export interface LetterCondition {
  readonly text: string;
  /** For $1 and so on; the next free one is their number + 1. */
  readonly values: readonly unknown[];
}

/**
 * The condition for the letters of one direction that a filter means; {@link LIVE} or
 * {@link NOT_ENDED} goes with it.
 * @returns `undefined` when the filter means none of this direction
 * @throws {TandemError} `invalid` when an id of the filter is none
 */
export function conditionOf(
  filter: DeadLetterFilter,
  direction: StoreName,
): LetterCondition | undefined {
  const { jobIds, collection, recordId, cause, fingerprint, contains, field } = filter;
  const odd = jobIds?.find((id) => !UUID.test(id));
  if (odd !== undefined) throw new TandemError('invalid', `${odd} is no dead letter's id.`);
  if (filter.direction !== undefined && filter.direction !== direction) return undefined;
  const values: unknown[] = [deadLetterQueueOf(QUEUES[direction])];
  const parts = ['name = $1'];
  const add = (value: unknown, part: (parameter: string) => string): void => {
    if (value === undefined) return;
    values.push(value);
    parts.push(part(`$${values.length}`));
  };
  add(jobIds, (ids) => `id = ANY (${ids}::uuid[])`);
  add(collection, (name) => `data #>> '{change,collection}' = ${name}`);
  add(recordId?.toString(), (id) => `data #>> '{change,id}' = ${id}`);
  add(cause, (word) => `${CAUSE} = ${word}`);
  add(fingerprint, (print) => `${FINGERPRINT} = ${print}`);
  add(filter.olderThan?.toISOString(), (at) => `created_on < ${at}::timestamptz`);
  add(filter.newerThan?.toISOString(), (at) => `created_on >= ${at}::timestamptz`);
  add(contains === undefined ? undefined : spellingsOf(contains), (parts) =>
    holdsOne(`lower(${PAYLOAD})`, parts, 'lower(one)'),
  );
  add(field === undefined ? undefined : membersOf(field.name, field.value), (members) =>
    holdsOne("data #>> '{change,record}'", members, 'one'),
  );
  return { text: parts.join(' AND '), values };
}

const holdsOne = (text: string, parts: string, one: string): string =>
  `EXISTS (SELECT FROM unnest(${parts}::text[]) AS one WHERE strpos(${text}, ${one}) > 0)`;

/** A text, and how it stands in a JSON string. */
const spellingsOf = (text: string): readonly string[] => [
  ...new Set([text, JSON.stringify(text).slice(1, -1)]),
];

/**
 * How a member of a record can stand in a canonical text. Found as text and not as JSON: PostgreSQL
 * can't take a text apart that holds an escaped NUL, and dead letters are where such texts end. A
 * quote inside a string is escaped, so nothing but a member looks like one.
 */
function membersOf(name: string, value: string): readonly string[] {
  const spellings = new Set([JSON.stringify(value), value, canonicalDecimal(value) ?? value]);
  return [...spellings].flatMap((spelling) =>
    [',', '}'].map((end) => `${JSON.stringify(name)}:${spelling}${end}`),
  );
}

/** The direction of a dead-letter queue. */
export function directionOf(queue: string): StoreName {
  const found = DIRECTIONS.find((direction) => deadLetterQueueOf(QUEUES[direction]) === queue);
  if (found === undefined) throw new Error(`${queue} is no dead-letter queue.`);
  return found;
}
