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
  readonly cause?: string;
  /** Dead since before this instant. */
  readonly olderThan?: Date;
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i;
const DIRECTIONS: readonly StoreName[] = ['postgres', 'json'];

/** The cause as `DeadLetter.cause` has it; what failed outside of the worker has none. */
export const CAUSE = `CASE WHEN jsonb_typeof(source_output->'cause') = 'string'
  THEN source_output->>'cause' ELSE 'unknown' END`;

/** `WHERE` over pg-boss's job table; its values are {@link filterValues}, from $1 to $5. */
export const MATCHES = `name = ANY ($1::text[]) AND state < 'completed'
  AND ($2::uuid[] IS NULL OR id = ANY ($2::uuid[]))
  AND ($3::text IS NULL OR data #>> '{change,collection}' = $3)
  AND ($4::text IS NULL OR ${CAUSE} = $4)
  AND ($5::timestamptz IS NULL OR created_on < $5)`;

/** @throws {TandemError} `invalid` when an id is none of a job */
export function filterValues(filter: DeadLetterFilter): readonly unknown[] {
  const { direction, jobIds, collection, cause, olderThan } = filter;
  const odd = jobIds?.find((id) => !UUID.test(id));
  if (odd !== undefined) throw new TandemError('invalid', `${odd} is no dead letter's id.`);
  const directions = direction === undefined ? DIRECTIONS : [direction];
  return [
    directions.map((one) => deadLetterQueueOf(QUEUES[one])),
    jobIds ?? null,
    collection ?? null,
    cause ?? null,
    olderThan?.toISOString() ?? null,
  ];
}

/** The direction of a dead-letter queue. */
export function directionOf(queue: string): StoreName {
  const found = DIRECTIONS.find((direction) => deadLetterQueueOf(QUEUES[direction]) === queue);
  if (found === undefined) throw new Error(`${queue} is no dead-letter queue.`);
  return found;
}
