//              ┌────────────── serving ──────────────┐
//   open ──────┤  StorageBroken ──> failed ──> recover from disk (own timer) ──> serving
//              └── close(): checkpoint, last mark ──> closed ──> lock released
//   Reads look at memory alone; writes go through the commit loop.
import type { Item, Outcome, Write } from '../changes/index.ts';
import type { FieldProblem } from '../collections/index.ts';
import { sentenceOf, TandemError } from '../errors.ts';
import type { JsonPhase, JsonPhaseState } from '../phase/index.ts';
import type { Outbox } from '../replication/index.ts';
import type { ApplyResult, IdHighWater, Store } from '../store.ts';
import { Batch } from './batch.ts';
import { Checkpointer, type Core, isBehind, updateManifest } from './checkpoint.ts';
import { CommitLoop } from './commit-loop.ts';
import { adoptEdit } from './edit-adoption.ts';
import { type ExternalEdit, type ForeignEdit, readEdits } from './external-edit.ts';
import type { FileLock } from './file-system.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { type HandoverRequest, watchHandover } from './handover.ts';
import { IdleMark } from './idle-mark.ts';
import { JournalOutbox } from './journal-outbox.ts';
import type { Memory } from './memory.ts';
import { MemoryReads } from './memory-reads.ts';
import type { OpenContext, Recovered, RecoveryReport } from './open-context.ts';
import type { Pace } from './pace.ts';
import { closeJournal, recoverInPlace } from './reopen.ts';
import { acceptsWrites, stageApply, stageWrite } from './stage.ts';
import { type StorageBroken, storageError } from './whole-file.ts';

/** After a failed background checkpoint, how long none is tried. */
const CHECKPOINT_RETRY_MS = 30_000;

export interface StoreSettings {
  readonly journalBytesMax: number;
  readonly checkpointAfterBytes: number;
  readonly idleMarkMs: number;
  readonly pace: Pace;
}

/** A record the schema can't hold; it is served as it is and blocks promotion. */
export interface MappingError {
  readonly collection: string;
  readonly id: number;
  readonly problems: readonly FieldProblem[];
}

/** The JSON store, while this process holds its lock. Made by `openJsonStore`. */
export class JsonStore extends MemoryReads implements Store {
  readonly phase: JsonPhase;
  readonly recoveryReport: RecoveryReport;
  readonly #context: OpenContext;
  readonly #lock: FileLock;
  readonly #settings: StoreSettings;
  readonly #loop: CommitLoop;
  readonly #checkpointer: Checkpointer;
  readonly #outbox: JournalOutbox;
  readonly #idleMark: IdleMark;
  readonly #ending = new AbortController();
  #core: Core;
  #edits: readonly ForeignEdit[] = [];
  #checkpoint: Promise<void> | undefined;
  #checkpointRetryAt = 0;
  #reopening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(context: OpenContext, lock: FileLock, recovered: Recovered, settings: StoreSettings) {
    super();
    const { memory, journal, manifest, report } = recovered;
    this.#context = context;
    this.#lock = lock;
    this.#settings = settings;
    this.#core = { memory, journal, manifest };
    this.recoveryReport = report;
    this.#outbox = new JournalOutbox(context, () => this.#core);
    const lines = new GrowingBuffer();
    let written = { startedMs: 0, bytes: 0 };
    this.#loop = new CommitLoop(
      {
        openBatch: (below) => {
          const { memory, manifest, journal } = this.#core;
          const mark = below?.end ?? journal.mark;
          return new Batch({ memory, below }, manifest.phase, mark, context.now(), lines);
        },
        write: async (batch) => {
          const bytes = batch.finish();
          written = { startedMs: performance.now(), bytes: bytes.length };
          await this.#core.journal.write(bytes, batch.end);
        },
        sync: async ({ count: items, traces }) => {
          const { startedMs, bytes } = written;
          await this.#core.journal.sync();
          const span = { startedMs, endedMs: performance.now() };
          context.observer.committed({ store: 'json', ...span, items, bytes, traces });
        },
        publish: (batch) => {
          batch.publish();
          this.#outbox.publish(batch.outbox);
          this.#idleMark.touched();
          this.#checkpointWhenDue();
        },
        onBroken: (error) => this.#onBroken(error),
      },
      settings.pace,
    );
    this.#checkpointer = new Checkpointer(context, this.#loop, {
      journalBytesMax: settings.journalBytesMax,
      relayed: () => this.#outbox.relayedSeq,
    });
    this.#idleMark = new IdleMark(settings.idleMarkMs, () => this.#markWhenIdle());
    this.phase = { read: () => this.#core.manifest.phase, update: (c) => this.#updatePhase(c) };
  }

  get outbox(): Outbox {
    return this.#outbox;
  }

  /** It never gave an id and never left its first epoch: it may join any database. */
  get isBlank(): boolean {
    const { memory, manifest } = this.#core;
    return manifest.phase.epoch === 1 && Object.values(memory.highWater()).every((id) => id === 0);
  }

  protected reading(): { readonly memory: Memory; readonly now: number } {
    return { memory: this.#core.memory, now: this.#context.now() };
  }

  write(write: Write): Promise<Outcome> {
    return this.#loop.submit((batch) => stageWrite(batch, write));
  }

  apply(items: readonly Item[]): Promise<readonly ApplyResult[]> {
    return this.#loop.submit((batch) => items.map((item) => stageApply(batch, item)));
  }

  raiseIdHighWater(marks: IdHighWater): Promise<void> {
    return this.#loop.submit((batch) => batch.raise(marks));
  }

  /** Records the schema can't hold, by collection and id. */
  mappingErrors(): readonly MappingError[] {
    return [...this.#core.memory.tables].flatMap((table) =>
      table.mappingErrors().map((error) => ({ collection: table.collection.name, ...error })),
    );
  }

  /** Foreign edits of the checkpoint files that were kept aside, oldest first. */
  externalEdits(): readonly ExternalEdit[] {
    return this.#edits.map(({ records: _records, sha256: _sha256, ...edit }) => edit);
  }

  /**
   * Brings the checkpoint files up to everything applied so far (I7).
   * @throws {TandemError} `storage-full`, `storage-failed`
   */
  async checkpoint(): Promise<void> {
    // One that is under way may have taken its snapshot before the last write; if it fails, whoever
    // started it is told.
    while (this.#checkpoint !== undefined) await this.#checkpoint.catch(() => {});
    try {
      if (isBehind(this.#core)) await this.#startCheckpoint();
      else await this.#checkpointer.dropRelayed(this.#core);
    } catch (error) {
      throw storageError('a checkpoint', error);
    }
  }

  #startCheckpoint(): Promise<void> {
    const run = this.#checkpointer.run(this.#core).then(async () => {
      this.#edits = await readEdits(this.#context);
    });
    this.#checkpoint = run.finally(() => {
      this.#checkpoint = undefined;
    });
    return this.#checkpoint;
  }

  #checkpointWhenDue(): void {
    if (this.#checkpoint !== undefined || this.#ending.signal.aborted) return;
    const { manifest, journal } = this.#core;
    const { replayFrom } = manifest.checkpoint;
    const bytes = manifest.segments
      .slice(0, -1)
      .reduce((sum, { number, length }) => sum + (number >= replayFrom ? length : 0), 0);
    if (bytes + journal.mark.length < this.#settings.checkpointAfterBytes) return;
    if (this.#context.now() < this.#checkpointRetryAt) return;
    this.#startCheckpoint().catch((error) => {
      this.#checkpointRetryAt = this.#context.now() + CHECKPOINT_RETRY_MS;
      this.#context.log.error(
        { error: sentenceOf(error) },
        'A checkpoint failed; it is tried again',
      );
    });
  }

  /** Lets the manifest know how far the journal is durable; best effort. */
  async #markWhenIdle(): Promise<void> {
    if (this.#ending.signal.aborted) return;
    try {
      await this.#loop.exclusive(async () => {
        const { manifest, journal } = this.#core;
        if (manifest.segments.at(-1)?.length === journal.mark.length) return;
        await updateManifest(this.#context, this.#core, {});
      });
    } catch (error) {
      this.#context.log.warn({ error: sentenceOf(error) }, 'The journal could not be marked');
    }
  }

  #updatePhase(change: Partial<JsonPhaseState>): Promise<void> {
    return this.#loop.exclusive(() => {
      const phase = { ...this.#core.manifest.phase, ...change };
      return updateManifest(this.#context, this.#core, { phase });
    });
  }

  /**
   * Calls back once for every request of another process to hand the store over. The owner then stops
   * writing and closes the store.
   * @returns ends the watch
   */
  onHandoverRequested(onRequest: (request: HandoverRequest) => void): () => void {
    if (this.#ending.signal.aborted) return () => {};
    const { fileSystem, layout, log } = this.#context;
    const end = watchHandover(fileSystem, layout, log, onRequest);
    this.#ending.signal.addEventListener('abort', end, { once: true });
    return end;
  }

  /** Aborts when the store begins to close. */
  get closing(): AbortSignal {
    return this.#ending.signal;
  }

  /** Called once by `openJsonStore`, before anybody else has the store. */
  async start(options: { checkpointNow: boolean; adoptExternalEdits: boolean }): Promise<void> {
    this.#outbox.relayed(this.#core.manifest.outbox.relayed);
    this.#edits = await readEdits(this.#context);
    if (options.checkpointNow) await this.#startCheckpoint();
    if (options.adoptExternalEdits) await this.#adoptEdits();
  }

  async #adoptEdits(): Promise<void> {
    const edits: ForeignEdit[] = [];
    for (const edit of this.#edits) {
      const open = edit.status === 'open' && edit.problem === undefined;
      if (open && acceptsWrites(this.phase.read())) {
        edits.push(await adoptEdit(this.#context, this.#loop, edit));
      } else edits.push(edit);
    }
    this.#edits = edits;
  }

  #onBroken(error: StorageBroken): void {
    this.#context.log.error({ error: error.message }, 'The JSON store stops until it is recovered');
    this.#loop.stop(
      new TandemError('storage-failed', 'The JSON store is being recovered from disk.', {
        cause: error,
      }),
    );
    this.#reopening ??= this.#reopen().finally(() => {
      this.#reopening = undefined;
    });
  }

  /** Reads go on from the last durable state meanwhile. */
  async #reopen(): Promise<void> {
    // Whoever started the checkpoint is told of its failure.
    await this.#checkpoint?.catch(() => {});
    await this.#loop.drained();
    await closeJournal(this.#context, this.#core.journal);
    const core = await recoverInPlace(this.#context, this.#ending.signal);
    if (core === undefined) return;
    this.#core = core;
    this.#outbox.reset();
    this.#loop.restart();
    this.#context.log.warn({}, 'The JSON store was recovered from disk and serves again');
  }

  /**
   * @param options.checkpoint false for handing the store over at once: the journal has it all, and
   *   the next holder brings the files up (I7 is owed by a clean stop, not by a hand-over)
   */
  close({ checkpoint = true }: { readonly checkpoint?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#close(checkpoint);
    return this.#closing;
  }

  async #close(checkpoint: boolean): Promise<void> {
    const { log } = this.#context;
    this.#ending.abort();
    this.#idleMark.end();
    const closed = new TandemError('unavailable', 'The JSON store is closed.');
    this.#loop.closeToWrites(closed);
    await this.#reopening;
    try {
      if (checkpoint) await this.checkpoint();
      else await this.#checkpoint?.catch(() => {});
      await this.#loop.exclusive(async () => {
        const { manifest, journal } = this.#core;
        const relayed = Math.max(manifest.outbox.relayed, this.#outbox.relayedSeq);
        const isMarked = manifest.segments.at(-1)?.length === journal.mark.length;
        if (isMarked && relayed === manifest.outbox.relayed) return;
        const outbox = { ...manifest.outbox, relayed };
        await updateManifest(this.#context, this.#core, { outbox });
      });
    } catch (error) {
      // Every acknowledged write is in the journal; the next open recovers from there.
      log.error({ error: sentenceOf(error) }, 'The last checkpoint failed; the journal has it all');
    }
    this.#loop.stop(closed);
    await this.#reopening;
    await this.#loop.drained();
    await closeJournal(this.#context, this.#core.journal);
    await this.#lock.release();
  }
}
