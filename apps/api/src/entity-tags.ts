import type { Precondition, Stamp } from '@tandem/storage/changes';
import { TandemError } from '@tandem/storage/errors';

/** One entity tag of a list (RFC 9110, section 8.8.3), with the comma or end that follows it. */
const TAG = /\s*(W\/)?"([\x21\x23-\x7e\x80-\xff]*)"\s*(?:,|$)/y;
const STAMP = /^(0|[1-9]\d{0,15})-(0|[1-9]\d{0,15})$/;

interface Tag {
  readonly weak: boolean;
  readonly opaque: string;
}

/** @returns the tags of a header, `*`, or `undefined` when it is not a list of tags */
function readTags(header: string): readonly Tag[] | '*' | undefined {
  if (header.trim() === '*') return '*';
  const tags: Tag[] = [];
  TAG.lastIndex = 0;
  while (TAG.lastIndex < header.length) {
    const match = TAG.exec(header);
    if (match === null) return undefined;
    tags.push({ weak: match[1] !== undefined, opaque: match[2] as string });
  }
  return tags.length === 0 ? undefined : tags;
}

/**
 * `If-Match` as the stamps a client accepts. A weak tag never matches (RFC 9110, section 13.1.1), and
 * neither does one that this API did not make.
 * @throws {TandemError} `invalid` when it is not a list of entity tags
 */
export function readIfMatch(header: string | undefined): Precondition | undefined {
  if (header === undefined) return undefined;
  const tags = readTags(header);
  if (tags === undefined) {
    const problem = 'must be * or a list of entity tags such as "1-2"';
    throw new TandemError('invalid', `If-Match ${problem}.`, {
      detail: { errors: [{ field: 'If-Match', problem }] },
    });
  }
  if (tags === '*') return '*';
  const stamps: Stamp[] = [];
  for (const { weak, opaque } of tags) {
    const match = weak ? null : STAMP.exec(opaque);
    if (match !== null) stamps.push({ epoch: Number(match[1]), version: Number(match[2]) });
  }
  return stamps;
}

/**
 * True when `If-None-Match` holds the present tag, so that the client's copy is good (304). Compared
 * weakly (RFC 9110, section 13.1.2): a compressing proxy may have weakened the tag. A header that is
 * no list of tags matches nothing; the client gets the record.
 */
export function isNotModified(header: string | undefined, present: string): boolean {
  if (header === undefined) return false;
  const tags = readTags(header);
  if (tags === undefined) return false;
  return tags === '*' || tags.some(({ opaque }) => `"${opaque}"` === present);
}
