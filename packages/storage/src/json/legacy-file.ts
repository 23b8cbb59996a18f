import { constants, isUtf8 } from 'node:buffer';
import { createHash } from 'node:crypto';
import { type Collection, isJsonObject } from '../collections/index.ts';
import { ID_MAX } from '../store.ts';
import type { FileSystem } from './file-system.ts';
import { lineAt, lineOfElement, offsetOfSyntaxError } from './json-position.ts';
import { LegacyRecords } from './legacy-record.ts';
import type { Entry, RecordTable } from './record-table.ts';
import { readWhole, refusal } from './whole-file.ts';

/** A file is read as one text: V8 has none that is longer (512 MiB). */
const BYTES_MAX = constants.MAX_STRING_LENGTH;
const FIX = 'Correct the file and start again; nothing was changed.';

/** What stands in a file of the legacy shape. */
export interface LegacyFile {
  /** By ascending id. */
  readonly records: readonly {
    readonly id: number;
    readonly text: string;
    readonly fits: boolean;
  }[];
  /** Ids that were given to records without one, in file order. */
  readonly given: readonly number[];
  readonly sha256: string;
}

/**
 * Reads a file of the legacy shape. A record without an id is given the next one after `highWater`
 * and the file's highest, in file order.
 * @returns `undefined` when there is no file
 * @throws {TandemError} `refused-to-open` with file, line and reason when it is no array of objects,
 *   or an id is repeated or is no integer from 1 on; without a line when it is too large to be read
 */
export async function readLegacyFile(
  fileSystem: FileSystem,
  path: string,
  collection: Collection,
  highWater = 0,
): Promise<LegacyFile | undefined> {
  const size = (await fileSystem.stat(path))?.size ?? 0;
  if (size > BYTES_MAX) {
    throw refusal(path, `it has ${size} bytes, and no more than ${BYTES_MAX} can be read.`, FIX);
  }
  const bytes = await readWhole(fileSystem, path);
  return bytes === undefined ? undefined : parseLegacyFile(bytes, path, collection, highWater);
}

function parseLegacyFile(
  bytes: Buffer,
  path: string,
  collection: Collection,
  highWater: number,
): LegacyFile {
  const source = decode(bytes, path);
  const objects = parseArray(source, path);
  const ids = readIds(objects, source, path);
  let next = ids.reduce<number>((most, id) => Math.max(most, id ?? 0), highWater);
  const reader = new LegacyRecords(collection, source);
  const given: number[] = [];
  const records = objects.map((object, index) => {
    const id = ids[index] ?? ++next;
    if (id > ID_MAX) {
      const line = lineOfElement(source, index);
      throw refusal(path, `a record has no id, and the last one, ${ID_MAX}, was given.`, FIX, {
        line,
      });
    }
    if (ids[index] === undefined) given.push(id);
    return { id, ...reader.read(index, object, id) };
  });
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  return { records: records.sort((a, b) => a.id - b.id), given, sha256 };
}

function decode(bytes: Buffer, path: string): string {
  if (!isUtf8(bytes)) {
    let offset = 0;
    for (let end = bytes.indexOf(0x0a); end >= 0; end = bytes.indexOf(0x0a, offset)) {
      if (!isUtf8(bytes.subarray(offset, end))) break;
      offset = end + 1;
    }
    const line = lineAt(bytes.toString('latin1'), offset);
    throw refusal(path, 'the file is not UTF-8.', FIX, { line });
  }
  const text = bytes.toString('utf8');
  return text.startsWith('\ufeff') ? text.slice(1) : text;
}

function parseArray(source: string, path: string): Record<string, unknown>[] {
  let value: unknown;
  try {
    value = JSON.parse(source);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    const line = lineAt(source, offsetOfSyntaxError(source));
    throw refusal(path, `the file is not JSON (${error.message}).`, FIX, { line });
  }
  if (!Array.isArray(value)) {
    throw refusal(path, 'the file is not an array of records.', FIX, { line: 1 });
  }
  const odd = value.findIndex((element) => !isJsonObject(element));
  if (odd < 0) return value;
  const line = lineOfElement(source, odd);
  throw refusal(path, `element ${odd + 1} of the array is not an object.`, FIX, { line });
}

function readIds(
  objects: readonly Record<string, unknown>[],
  source: string,
  path: string,
): (number | undefined)[] {
  const seen = new Set<number>();
  return objects.map((object, index) => {
    const id = Object.hasOwn(object, 'id') ? object.id : undefined;
    if (id === undefined) return undefined;
    const line = () => ({ line: lineOfElement(source, index) });
    if (typeof id !== 'number' || !Number.isInteger(id) || id < 1 || id > ID_MAX) {
      const spelled = JSON.stringify(id).slice(0, 40);
      throw refusal(path, `the id ${spelled} is no integer from 1 to ${ID_MAX}.`, FIX, line());
    }
    if (seen.has(id)) throw refusal(path, `the id ${id} is there twice.`, FIX, line());
    seen.add(id);
    return id;
  });
}

/** Fills an empty table with a file's records; each starts at version 1 of the epoch. */
export function loadLegacy(table: RecordTable, file: LegacyFile, epoch: number): void {
  const misfits: number[] = [];
  const entries: Entry[] = file.records.map(({ id, text, fits }) => {
    if (!fits) misfits.push(id);
    return table.entry(id, { epoch, version: 1 }, text);
  });
  table.load(entries, misfits);
}
