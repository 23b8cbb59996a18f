import type { KeyItem } from '../changes/index.ts';
import type { FileSystem } from './file-system.ts';
import { type Line, LineWriter, SLICE_BYTES, scanLines } from './line-codec.ts';
import { FORMAT, newerFormat } from './manifest.ts';
import type { Memory, MemorySnapshot } from './memory.ts';
import type { Entry, RecordTable } from './record-table.ts';
import { decodeEntry, encodeEntry, type StateEntry } from './state-entry.ts';
import { SyncingWriter } from './syncing-writer.ts';
import { TimeSlice } from './time-slice.ts';
import { openIfPresent, PRIVATE_FILE, refusal } from './whole-file.ts';

/**
 * A state file: everything the store knows as of one batch (docs/json-format.md). Lines as in the
 * journal:
 *
 *   {"format":1,"kind":"state","storeId":"…","number":7}
 *   {"kind":"collection","name":"expense","highWater":12,"entries":11}
 *   {"id":1,"epoch":1,"version":1,"record":{…}}                 a tombstone's record is null,
 *   {"id":2,"epoch":1,"version":1,"misfit":true,"record":{…}}   a mapping error is a misfit
 *   {"kind":"keys","entries":1}
 *   {"key":"…","fingerprint":"…","outcome":"…","at":"…"}
 *   {"kind":"end","lines":6}
 */

/** Bytes collected before they are written. */
const WRITE_BYTES = 1 << 18;

/** Writes and syncs the state file of a snapshot. */
export async function writeState(
  fileSystem: FileSystem,
  path: string,
  identity: { readonly storeId: string; readonly number: number },
  snapshot: MemorySnapshot,
): Promise<void> {
  const file = await fileSystem.create(path, PRIVATE_FILE);
  try {
    const out = new SyncingWriter(file);
    const slice = new TimeSlice();
    const lines = new LineWriter(0);
    let count = 0;
    const add = (payload: string, record?: string): void => {
      lines.add(payload, record);
      count++;
    };
    add(JSON.stringify({ format: FORMAT, kind: 'state', ...identity }));
    for (const { collection, highWater, byId, misfits } of snapshot.tables) {
      const { name } = collection;
      add(JSON.stringify({ kind: 'collection', name, highWater, entries: byId.size }));
      for (const entry of byId.values()) {
        add(encodeEntry(entry, misfits.has(entry.id)), entry.text ?? 'null');
        if (lines.bytes >= WRITE_BYTES) await out.write(lines.take());
        if (slice.isOver()) await slice.next();
      }
    }
    add(JSON.stringify({ kind: 'keys', entries: snapshot.keys.size }));
    for (const key of snapshot.keys.values()) {
      add(JSON.stringify(key));
      if (lines.bytes >= WRITE_BYTES) await out.write(lines.take());
      if (slice.isOver()) await slice.next();
    }
    add(JSON.stringify({ kind: 'end', lines: count }));
    await out.write(lines.take());
    await file.fsync();
  } finally {
    await file.close();
  }
}

const RESTORE =
  'Keep a copy of this folder and restore it from a backup; the checkpoint files beside .tandem are whole as of the last checkpoint.';

/**
 * Fills an empty memory from a state file.
 * @param pace.besideRequests works in slices of a millisecond or so; takes longer
 * @returns names of the collections it holds
 * @throws {TandemError} `refused-to-open` when it is damaged, newer, or of another store
 */
export async function readState(
  fileSystem: FileSystem,
  path: string,
  identity: { readonly storeId: string; readonly number: number },
  memory: Memory,
  { besideRequests = false }: { readonly besideRequests?: boolean } = {},
): Promise<Set<string>> {
  const names = new Set<string>();
  const loader = new StateLoader(memory, names, besideRequests);
  const file = await openIfPresent(fileSystem, path);
  if (file === undefined) throw refusal(path, 'this state file is missing.', RESTORE);
  try {
    let lines = 0;
    let ended = false;
    const damaged = (offset: number, reason: string) =>
      refusal(path, `the state is damaged: ${reason}`, RESTORE, { offset });
    const visit: Parameters<typeof scanLines>[2] = (line) => {
      const entry = decodeEntry(line.buffer, line.from, line.to);
      if (entry !== undefined && lines > 0) loader.entry(entry);
      else {
        const members = JSON.parse(line.buffer.toString('utf8', line.from, line.to));
        if (lines === 0) checkHeader(path, members, identity);
        else if (members.kind === 'end') {
          if (members.lines !== lines) throw damaged(line.offset, 'lines are missing.');
          ended = true;
          return false;
        } else loader.other(path, members);
      }
      lines++;
      return undefined;
    };
    const readBytes = besideRequests ? SLICE_BYTES : undefined;
    const end = await scanLines(file, { offset: 0, checksum: 0 }, visit, undefined, readBytes);
    if (end.problem !== undefined) throw damaged(end.offset, end.problem);
    if (!ended) throw damaged(end.offset, 'its end is missing.');
    loader.finish();
    return names;
  } finally {
    await file.close();
  }
}

const ENTRY_START = Buffer.from('{"id":');

const startsWith = (buffer: Buffer, from: number, start: Buffer): boolean =>
  buffer.compare(start, 0, start.length, from, from + start.length) === 0;

/**
 * Looks one record up in a state file, reading no further than that. What stands before it is checked
 * line by line, its rest is not.
 * @throws {TandemError} as {@link readState}
 */
export async function findInState(
  fileSystem: FileSystem,
  path: string,
  identity: { readonly storeId: string; readonly number: number },
  wanted: { readonly collection: string; readonly id: number },
): Promise<StateEntry | undefined> {
  const file = await openIfPresent(fileSystem, path);
  if (file === undefined) throw refusal(path, 'this state file is missing.', RESTORE);
  try {
    let found: StateEntry | undefined;
    let lines = 0;
    let inCollection = false;
    const wantedStart = Buffer.from(`{"id":${wanted.id},`);
    const visit = ({ buffer, from, to, offset }: Line): boolean | undefined => {
      // Of a million entries one is wanted: the others are passed over by their beginning.
      if (lines++ > 0 && startsWith(buffer, from, ENTRY_START)) {
        if (!inCollection || !startsWith(buffer, from, wantedStart)) return undefined;
        found = decodeEntry(buffer, from, to);
        if (found === undefined)
          throw refusal(path, 'an entry is not legible.', RESTORE, { offset });
        return false;
      }
      const members = JSON.parse(buffer.toString('utf8', from, to));
      if (lines === 1) checkHeader(path, members, identity);
      // The collection has ended, or the records have.
      else if (inCollection || members.kind === 'keys') return false;
      else inCollection = members.name === wanted.collection;
      return undefined;
    };
    const start = { offset: 0, checksum: 0 };
    const end = await scanLines(file, start, visit, undefined, SLICE_BYTES);
    if (end.problem === undefined) return found;
    throw refusal(path, `the state is damaged: ${end.problem}`, RESTORE, { offset: end.offset });
  } finally {
    await file.close();
  }
}

function checkHeader(
  path: string,
  members: Record<string, unknown>,
  identity: { readonly storeId: string; readonly number: number },
): void {
  const { format, kind, storeId, number } = members;
  if (typeof format === 'number' && format > FORMAT) throw newerFormat(path, format);
  if (kind !== 'state' || storeId !== identity.storeId || number !== identity.number) {
    throw refusal(path, 'it belongs to another store or place.', RESTORE);
  }
}

/** Collects the entries of one collection after the other. */
class StateLoader {
  readonly #memory: Memory;
  readonly #names: Set<string>;
  /** Filling a table at once is quicker, and lets nothing else run. */
  readonly #oneByOne: boolean;
  #table: RecordTable | undefined;
  #highWater = 0;
  #entries: Entry[] = [];
  #misfits: number[] = [];
  #inKeys = false;

  constructor(memory: Memory, names: Set<string>, oneByOne: boolean) {
    this.#memory = memory;
    this.#names = names;
    this.#oneByOne = oneByOne;
  }

  entry({ id, epoch, version, misfit, text }: StateEntry): void {
    if (this.#table === undefined) throw new Error('An entry stands before its collection.');
    const entry = this.#table.entry(id, { epoch, version }, text);
    if (this.#oneByOne) {
      this.#table.put(entry, !misfit);
      return;
    }
    this.#entries.push(entry);
    if (misfit) this.#misfits.push(id);
  }

  /** What follows the header and is no entry: the beginning of a collection or of the keys, a key. */
  other(path: string, members: Record<string, unknown>): void {
    if (this.#inKeys) this.#memory.keys.put(members as unknown as KeyItem);
    else if (members.kind === 'keys') this.#inKeys = true;
    else {
      this.finish();
      this.#begin(path, String(members.name), Number(members.highWater));
    }
  }

  #begin(path: string, name: string, highWater: number): void {
    const table = this.#memory.find(name);
    if (table === undefined) {
      throw refusal(
        path,
        `it holds the collection ${name}, which this version does not have.`,
        `Start a version that has ${name}.`,
      );
    }
    this.#table = table;
    this.#names.add(name);
    this.#highWater = highWater;
  }

  finish(): void {
    if (this.#table === undefined) return;
    if (!this.#oneByOne) this.#table.load(this.#entries, this.#misfits);
    this.#table.highWater = Math.max(this.#table.highWater, this.#highWater);
    this.#table = undefined;
    this.#entries = [];
    this.#misfits = [];
  }
}
