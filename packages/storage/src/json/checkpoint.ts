//   1 rotate the journal, snapshot ──> 2 state-<n>, synced ──> 3 drafts, synced
//   4 manifest: pending(n, hashes) ──> 5 rename each draft, sync directory
//   6 manifest: n in force ──> 7 drop the old state and the segments that are covered and relayed
//   Between 4 and 6 each file is the old or the new one. A crash anywhere recovers from the state in
//   force and the journal.
import type { CommitLoop } from './commit-loop.ts';
import { keepForeignFile } from './external-edit.ts';
import type { CreateOptions } from './file-system.ts';
import { Journal } from './journal.ts';
import { writeLegacyFile } from './legacy-json.ts';
import { linkRefusal } from './linked-file.ts';
import {
  catchUp,
  type FileHashes,
  type Manifest,
  type SegmentMark,
  writeManifest,
} from './manifest.ts';
import { Memory, type MemorySnapshot } from './memory.ts';
import type { OpenContext } from './open-context.ts';
import { readState, writeState } from './state-file.ts';
import { hashFile, removeIfPresent, storageError } from './whole-file.ts';

const NEW_FILE_MODE = 0o644;

/** The parts of an open store that move together; recovery in place makes a new one. */
export interface Core {
  memory: Memory;
  journal: Journal;
  manifest: Manifest;
}

export interface CheckpointSettings {
  /** Journal kept for the outbox beyond this is dropped under a catch-up mark. */
  readonly journalBytesMax: number;
  /** Highest `seq` known to be in the queue. */
  relayed(): number;
}

/** Replaces the manifest; only between two batches, so that its marks are exact. */
export async function updateManifest(
  context: OpenContext,
  core: Core,
  change: Partial<Manifest>,
): Promise<void> {
  const { manifest, journal } = core;
  const segments = change.segments ?? [...manifest.segments.slice(0, -1), journal.mark];
  const next = { ...manifest, ...change, segments };
  await writeManifest(context.fileSystem, context.layout, next);
  core.manifest = next;
}

/** Whether the checkpoint files lack anything the store has. */
export const isBehind = ({ manifest, journal }: Core): boolean =>
  manifest.filesBehind || journal.mark.batch > manifest.checkpoint.batch;

export class Checkpointer {
  readonly #context: OpenContext;
  readonly #loop: CommitLoop;
  readonly #settings: CheckpointSettings;
  /** Identity of each file as last seen with the hash the manifest has. */
  readonly #seen = new Map<string, string>();

  constructor(context: OpenContext, loop: CommitLoop, settings: CheckpointSettings) {
    this.#context = context;
    this.#loop = loop;
    this.#settings = settings;
  }

  /** Whether a checkpoint file is another than this store wrote: edited, or gone. */
  async filesDiffer({ manifest }: Core): Promise<boolean> {
    const { fileSystem, layout, collections } = this.#context;
    for (const { name, file } of collections) {
      const path = layout.checkpointFile(file);
      const facts = await fileSystem.stat(path);
      if (facts !== undefined && facts.identity === this.#seen.get(name)) continue;
      const hash = (await hashFile(fileSystem, path)) ?? null;
      if (hash !== (manifest.files[name] ?? null)) return true;
      if (facts !== undefined) this.#seen.set(name, facts.identity);
    }
    return false;
  }

  /** Writes everything the store has applied; resolves when it is all in place. */
  async run(core: Core): Promise<void> {
    const { layout, fileSystem, now } = this.#context;
    const number = core.manifest.checkpoint.number + 1;
    await core.memory.keys.prune(now());
    const { storeId } = core.manifest;
    const started = await this.#loop.exclusive(() => this.#rotate(core));
    const files: Record<string, string> = {};
    try {
      const identity = { storeId, number };
      await writeState(fileSystem, layout.state(number), identity, started.snapshot);
      for (const table of started.snapshot.tables) {
        const { name, file } = table.collection;
        const options = await this.#fileOptions(layout.checkpointFile(file));
        const draft = layout.draft(file, number);
        files[name] = await writeLegacyFile(fileSystem, draft, options, table);
      }
      // Replacing the manifest syncs their names as well: they lie beside it.
      const known = await this.#settlePending(core);
      await this.#loop.exclusive(() =>
        updateManifest(this.#context, core, { files: known, pending: { number, files } }),
      );
    } catch (error) {
      // Gives the room back on a full disk; nothing reads these files.
      await this.#removeDrafts(number);
      await removeIfPresent(fileSystem, layout.state(number));
      throw storageError('writing a checkpoint', error);
    }
    await this.#putInPlace(core, number);
    const obsolete = await this.#loop.exclusive(() =>
      this.#bringInForce(core, number, started, files),
    );
    for (const path of obsolete) await removeIfPresent(fileSystem, path);
  }

  /** The snapshot holds exactly the segments before the new one. */
  async #rotate(core: Core): Promise<Started> {
    const { mark } = core.journal;
    if (mark.batch > mark.start.batch) {
      const identity = { storeId: core.manifest.storeId, number: mark.number + 1 };
      const start = { batch: mark.batch, seq: mark.seq };
      const journal = await Journal.create(this.#context, identity, start);
      const old = core.journal;
      const sealed = core.manifest.segments.slice(0, -1);
      try {
        await updateManifest(this.#context, core, { segments: [...sealed, mark, journal.mark] });
      } catch (error) {
        await journal.close();
        throw error;
      }
      core.journal = journal;
      await old.close();
    }
    const { number: replayFrom, start } = core.journal.mark;
    return { snapshot: core.memory.snapshot(), replayFrom, batch: start.batch };
  }

  /**
   * A checkpoint that failed while files were renamed leaves each the old or the new one. Before its
   * hashes are forgotten, what stands there is made durable and known: else it would look foreign.
   */
  async #settlePending({ manifest: { pending, files } }: Core): Promise<FileHashes> {
    if (pending === null) return files;
    const { fileSystem, layout, collections } = this.#context;
    await fileSystem.syncDirectory(layout.directory);
    const known = { ...files };
    for (const { name, file } of collections) {
      const hash = await hashFile(fileSystem, layout.checkpointFile(file));
      if (hash !== undefined && hash === pending.files[name]) known[name] = hash;
    }
    return known;
  }

  /** Permissions and owner of the file that is replaced: the legacy application must still reach it. */
  async #fileOptions(path: string): Promise<CreateOptions> {
    const facts = await this.#context.fileSystem.stat(path);
    if (facts === undefined) return { mode: NEW_FILE_MODE };
    return { mode: facts.mode, owner: { uid: facts.uid, gid: facts.gid } };
  }

  async #putInPlace(core: Core, number: number): Promise<void> {
    const { fileSystem, layout, collections } = this.#context;
    try {
      for (const { name, file } of collections) {
        const path = layout.checkpointFile(file);
        await this.#keepIfForeign(core, name);
        await fileSystem.rename(layout.draft(file, number), path);
        const facts = await fileSystem.stat(path);
        if (facts !== undefined) this.#seen.set(name, facts.identity);
      }
      await fileSystem.syncDirectory(layout.directory);
    } catch (error) {
      await this.#removeDrafts(number);
      throw storageError('putting a checkpoint in place', error);
    }
  }

  async #keepIfForeign(core: Core, name: string): Promise<void> {
    const { fileSystem, layout, collections } = this.#context;
    const collection = collections.find((one) => one.name === name);
    if (collection === undefined) throw new Error(`There is no collection ${name}.`);
    const path = layout.checkpointFile(collection.file);
    const linked = await linkRefusal(this.#context, path);
    if (linked !== undefined) throw linked;
    const facts = await fileSystem.stat(path);
    if (facts === undefined || facts.identity === this.#seen.get(name)) return;
    if ((await hashFile(fileSystem, path)) === core.manifest.files[name]) return;
    const base = new Memory(collections);
    const { number } = core.manifest.checkpoint;
    const { storeId } = core.manifest;
    await readState(fileSystem, layout.state(number), { storeId, number }, base);
    await keepForeignFile(this.#context, collection, base.table(name));
  }

  /** Drops journal that is covered and relayed, without a checkpoint. */
  async dropRelayed(core: Core): Promise<void> {
    const { fileSystem, layout } = this.#context;
    const dropped = await this.#loop.exclusive(async () => {
      const { change, dropped } = this.#retain(core, core.manifest.checkpoint.replayFrom);
      if (dropped.length > 0) await updateManifest(this.#context, core, change);
      return dropped;
    });
    for (const mark of dropped) await removeIfPresent(fileSystem, layout.segment(mark.number));
  }

  /** @returns files that nothing names any more */
  async #bringInForce(
    core: Core,
    number: number,
    started: Started,
    files: FileHashes,
  ): Promise<string[]> {
    const { layout } = this.#context;
    const { replayFrom, batch } = started;
    const old = core.manifest.checkpoint.number;
    const { change, dropped } = this.#retain(core, replayFrom);
    const checkpoint = { number, replayFrom, batch };
    // The manifest changes between batches only, here too: another change may be under way elsewhere.
    const inForce = { ...change, checkpoint, files, pending: null, filesBehind: false };
    await updateManifest(this.#context, core, inForce);
    return [layout.state(old), ...dropped.map((mark) => layout.segment(mark.number))];
  }

  /** Which segments a manifest goes on naming, and what follows from dropping the others. */
  #retain(
    core: Core,
    replayFrom: number,
  ): { change: Partial<Manifest>; dropped: readonly SegmentMark[] } {
    const { manifest, journal } = core;
    const marks = [...manifest.segments.slice(0, -1), journal.mark];
    const relayed = Math.max(manifest.outbox.relayed, this.#settings.relayed());
    const kept = this.#segmentsToKeep(marks, replayFrom, relayed);
    const seqs = kept.dropped.map(({ seq }) => seq);
    const dropped = Math.max(manifest.outbox.dropped, ...seqs);
    if (kept.catchUp) {
      this.#context.log.warn(
        { dropped, relayed, journalBytesMax: this.#settings.journalBytesMax },
        'The journal outgrew its bound: the secondary will be brought up by difference',
      );
    }
    const phase = kept.catchUp ? catchUp(manifest.phase, this.#context) : manifest.phase;
    const change = { phase, segments: kept.segments, outbox: { dropped, relayed } };
    return { change, dropped: kept.dropped };
  }

  #segmentsToKeep(
    marks: readonly SegmentMark[],
    replayFrom: number,
    relayed: number,
  ): { segments: SegmentMark[]; dropped: SegmentMark[]; catchUp: boolean } {
    const waiting = marks.filter(({ number, seq }) => number < replayFrom && seq > relayed);
    const bytes = waiting.reduce((sum, { length }) => sum + length, 0);
    const catchUp = bytes > this.#settings.journalBytesMax;
    const keeps = ({ number, seq }: SegmentMark): boolean =>
      number >= replayFrom || (seq > relayed && !catchUp);
    return {
      segments: marks.filter(keeps),
      dropped: marks.filter((mark) => !keeps(mark)),
      catchUp,
    };
  }

  async #removeDrafts(number: number): Promise<void> {
    const { fileSystem, layout, collections } = this.#context;
    for (const { file } of collections) {
      await removeIfPresent(fileSystem, layout.draft(file, number));
    }
  }
}

interface Started {
  readonly snapshot: MemorySnapshot;
  readonly replayFrom: number;
  readonly batch: number;
}
