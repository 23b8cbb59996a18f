//   expenses.json has a hash this store did not write
//     ──> copied to external-edits/<instant>-expenses.json, synced
//     ──> compared with the state it was an edit of (the last checkpoint's)
//     ──> <instant>-expenses.json.edit beside it: open until its changes are adopted or rejected
import { createHash } from 'node:crypto';
import { basename, join } from 'node:path';
import type { EditedRecord, ExternalEdit } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import { isTandemError, sentenceOf } from '../errors.ts';
import { isFileError } from './file-system.ts';
import { fileInstant } from './layout.ts';
import { type LegacyFile, readLegacyFile } from './legacy-file.ts';
import type { OpenContext } from './open-context.ts';
import type { RecordTable } from './record-table.ts';
import { PRIVATE_DIRECTORY, readWhole, replaceFile, writeSynced } from './whole-file.ts';

/** An edit with its differences; what the entry beside the kept file holds. */
export interface ForeignEdit extends ExternalEdit {
  readonly sha256: string;
  readonly records: readonly EditedRecord[];
}

const SUFFIX = '.edit';

/**
 * Keeps a foreign file aside and says how it differs.
 * @param base the state the file was an edit of
 */
export async function keepForeignFile(
  context: OpenContext,
  collection: Collection,
  base: RecordTable,
): Promise<void> {
  const { fileSystem, layout, log } = context;
  const path = layout.checkpointFile(collection.file);
  const bytes = await readWhole(fileSystem, path);
  if (bytes === undefined) throw new Error(`${path} vanished while it was looked at.`);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  // A crash before the manifest took note of the edit finds it again at the next open.
  const known = (await readEdits(context)).some(
    (edit) =>
      edit.sha256 === sha256 && edit.collection === collection.name && edit.status === 'open',
  );
  if (known) return;
  await fileSystem.mkdir(layout.externalEdits, PRIVATE_DIRECTORY);
  // The first edit makes the directory; what it keeps must not go with it.
  await fileSystem.syncDirectory(layout.tandem);
  const now = context.now();
  const keptAt = join(layout.externalEdits, `${fileInstant(now)}-${collection.file}`);
  await writeSynced(fileSystem, keptAt, bytes);
  // An entry never stands without the file it speaks of.
  await fileSystem.syncDirectory(layout.externalEdits);
  const { records, problem } = await differences(context, keptAt, collection, base);
  const idsWhere = (test: (record: EditedRecord) => boolean): number[] =>
    records.flatMap((record) => (record.id !== undefined && test(record) ? [record.id] : []));
  const edit: ForeignEdit = {
    ...{ name: basename(keptAt), collection: collection.name, keptAt },
    ...{ at: new Date(now).toISOString(), status: 'open' },
    added: idsWhere(({ from }) => from === null),
    changed: idsWhere(({ from, to }) => from !== null && to !== null),
    removed: idsWhere(({ to }) => to === null),
    withoutId: records.filter(({ id }) => id === undefined).length,
    ...{ conflicting: [], unfit: [], decisions: [] },
    ...(problem === undefined ? {} : { problem }),
    ...{ sha256, records },
  };
  await writeEdit(context, edit);
  const { added, changed, removed, withoutId } = edit;
  const counts = { added: added.length + withoutId, changed: changed.length };
  log.warn(
    { file: path, keptAt, ...counts, removed: removed.length, problem },
    `${collection.file} was edited by something else; the edit is kept aside`,
  );
}

/** An edit without its records' texts. */
export const listed = ({
  records: _records,
  sha256: _sha256,
  ...edit
}: ForeignEdit): ExternalEdit => edit;

/** Writes an edit's entry beside its kept file. */
export async function writeEdit(context: OpenContext, edit: ForeignEdit): Promise<void> {
  // Where they lie is seen, not written down: the folder may be moved.
  const { name: _name, keptAt, ...entry } = edit;
  const bytes = Buffer.from(`${JSON.stringify(entry, undefined, 2)}\n`);
  await replaceFile(context.fileSystem, `${keptAt}${SUFFIX}`, bytes);
}

/** What an entry written by an earlier version lacks. */
const LATER_MEMBERS = { unfit: [], decisions: [] };

/** All edits that were ever kept aside, oldest first. */
export async function readEdits({
  fileSystem,
  layout,
}: Pick<OpenContext, 'fileSystem' | 'layout'>): Promise<ForeignEdit[]> {
  const edits: ForeignEdit[] = [];
  let names: string[];
  try {
    names = await fileSystem.readdir(layout.externalEdits);
  } catch (error) {
    if (isFileError(error, 'ENOENT')) return [];
    throw error;
  }
  for (const entry of names.filter((one) => one.endsWith(SUFFIX)).sort()) {
    const bytes = await readWhole(fileSystem, join(layout.externalEdits, entry));
    if (bytes === undefined) continue;
    const name = entry.slice(0, -SUFFIX.length);
    const place = { name, keptAt: join(layout.externalEdits, name) };
    edits.push({ ...LATER_MEMBERS, ...JSON.parse(bytes.toString('utf8')), ...place });
  }
  return edits;
}

async function differences(
  context: OpenContext,
  path: string,
  collection: Collection,
  base: RecordTable,
): Promise<{ records: EditedRecord[]; problem?: string }> {
  let file: LegacyFile | undefined;
  try {
    file = await readLegacyFile(context.fileSystem, path, collection, base.highWater);
  } catch (error) {
    if (!isTandemError(error, 'refused-to-open')) throw error;
    return { records: [], problem: sentenceOf(error) };
  }
  return { records: compare(file?.records ?? [], new Set(file?.given), base) };
}

function compare(
  edited: LegacyFile['records'],
  given: ReadonlySet<number>,
  base: RecordTable,
): EditedRecord[] {
  const records: EditedRecord[] = [];
  const seen = new Set<number>();
  for (const { id, text, fits } of edited) {
    if (given.has(id)) {
      records.push({ from: null, to: text, fits });
      continue;
    }
    seen.add(id);
    const from = base.get(id)?.text ?? null;
    if (from !== text) records.push({ id, from, to: text, fits });
  }
  for (const { id, text } of base.snapshot().byId.values()) {
    if (text !== null && !seen.has(id)) records.push({ id, from: text, to: null, fits: true });
  }
  return records;
}
