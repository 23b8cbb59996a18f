//              ┌────────────── serving ──────────────┐
//   open ──────┤  StorageBroken ──> failed ──> recover from disk (own timer) ──> serving
//              └── close(): checkpoint, last mark ──> closed ──> lock released
//   Reads look at memory alone; writes go through the commit loop.
import type {
  EditAdopter,
  EditOrder,
  ExternalEdit,
  Item,
  Outcome,
  Write,
} from '../changes/index.ts';
import { TandemError } from '../errors.ts';
import { type JsonPhase, type JsonPhaseState, primaryOf } from '../phase/index.ts';
import type { Outbox } from '../replication/index.ts';
import type { ApplyResult, IdHighWater, Store } from '../store.ts';
import { Batch } from './batch.ts';
import { Checkpointer, type Core, updateManifest } from './checkpoint.ts';
import { CheckpointRuns } from './checkpoint-runs.ts';
import { CommitLoop } from './commit-loop.ts';
import { DirtyRanges } from './dirty-ranges.ts';
import { disagreements } from './disagreements.ts';
import { type DiskTrouble, DiskWatch, hasRoom } from './disk-watch.ts';
import { jsonAdopter } from './edit-adoption.ts';
import { EditShelf } from './edit-shelf.ts';
import type { FileLock } from './file-system.ts';
import { GrowingBuffer } from './growing-buffer.ts';
import { type HandoverRequest, watchHandover } from './handover.ts';
import { IdleMark } from './idle-mark.ts';
import { markJournal } from './journal-mark.ts';
import { JournalOutbox } from './journal-outbox.ts';
import type { SnapshotPlace } from './json-snapshot.ts';
import type { MappingError, Memory } from './memory.ts';
import { MemoryReads } from './memory-reads.ts';
import type { OpenContext, Recovered, RecoveryReport } from './open-context.ts';
import { closeJournal, recoverInPlace } from './reopen.ts';
import { acceptsWrites, stageApply, stageWrite } from './stage.ts';
import type { StoreSettings } from './store-settings.ts';
import type { StorageBroken } from './whole-file.ts';

/** The JSON store, while this process holds its lock. Made by `openJsonStore`. */
export class JsonStore extends MemoryReads implements Store {
  readonly phase: JsonPhase;
  /** What changed since it was compared with the other store last. */
  readonly dirty = new DirtyRanges();
  readonly recoveryReport: RecoveryReport;
  readonly #context: OpenContext;
  readonly #lock: FileLock;
  readonly #settings: StoreSettings;
  readonly #loop: CommitLoop;
  readonly #checkpoints: CheckpointRuns;
  readonly #disk: DiskWatch;
  readonly #shelf: EditShelf;
  readonly #outbox: JournalOutbox;
  readonly #idleMark: IdleMark;
  readonly #ending = new AbortController();
  #core: Core;
  #reopening: Promise<void> | undefined;
  #closing: Promise<void> | undefined;

  constructor(context: OpenContext, lock: FileLock, recovered: Recovered, settings: StoreSettings) {
    super();
    const { memory, journal, manifest, report } = recovered;
    this.#context = context;
    this.#lock = lock;
    this.#settings = settings;
    this.#core = { memory, journal, manifest };
    if (report.created || report.adopted || report.torn !== undefined) {
      this.dirty.markAll(context.collections.map(({ name }) => name));
    }
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
          await this.#disk.during(() => this.#core.journal.write(bytes, batch.end));
        },
        sync: async ({ count: items, written: changes, traces }) => {
          const { startedMs, bytes } = written;
          await this.#core.journal.sync();
          const span = { startedMs, endedMs: performance.now() };
          const counts = { items, written: changes, bytes };
          context.observer.committed({ store: 'json', ...span, ...counts, traces });
        },
        publish: (batch) => {
          batch.publish();
          batch.mark(this.dirty);
          this.#outbox.publish(batch.outbox);
          this.#idleMark.touched();
          this.#checkpoints.whenDue();
        },
        onBroken: (error) => this.#onBroken(error),
      },
      settings.pace,
    );
    this.#shelf = new EditShelf(context);
    this.#disk = new DiskWatch(context, {
      intervalMs: settings.probeIntervalMs,
      probe: () => this.#loop.exclusive(() => hasRoom(context)),
      onRoom: () => this.#checkpoints.tryAgainNow(),
    });
    this.#checkpoints = new CheckpointRuns(context, {
      checkpointer: new Checkpointer(context, this.#loop, {
        journalBytesMax: settings.journalBytesMax,
        relayed: () => this.#outbox.relayedSeq,
      }),
      afterBytes: settings.checkpointAfterBytes,
      core: () => this.#core,
      onDone: () => this.#shelf.refresh(),
    });
    this.#idleMark = new IdleMark(settings.idleMarkMs, () =>
      markJournal(context, this.#loop, () => this.#core),
    );
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

  async apply(items: readonly Item[]): Promise<readonly ApplyResult[]> {
    const results = await this.#loop.submit((batch) =>
      items.map((item) => stageApply(batch, item)),
    );
    const found = disagreements(items, results);
    if (found.length > 0) await this.#settings.keepDisagreements?.(found);
    return results;
  }

  raiseIdHighWater(marks: IdHighWater): Promise<void> {
    return this.#loop.submit((batch) => batch.raise(marks));
  }

  /** Records the schema can't hold, by collection and id. */
  mappingErrors(): readonly MappingError[] {
    return this.#core.memory.mappingErrors();
  }

  /** How many of them there are. */
  get mappingErrorCount(): number {
    return this.#core.memory.mappingErrorCount;
  }

  /** Foreign edits of the checkpoint files that were kept aside, oldest first. */
  externalEdits(): readonly ExternalEdit[] {
    return this.#shelf.edits;
  }

  /**
   * Adopts an external edit through the current primary, or rejects it; durable when it resolves. Then
   * the files are brought up.
   * @throws {TandemError} as `EditShelf.decide`
   */
  async decideEdit(order: EditOrder): Promise<ExternalEdit> {
    const decided = await this.#shelf.decide(order, this.#adopter());
    await this.#checkpoints.try('The files could not be brought up after a decision about an edit');
    return decided;
  }

  #adopter(): EditAdopter {
    const { otherPrimary } = this.#settings;
    const isElsewhere = primaryOf(this.phase.read().phase) === 'postgres';
    return isElsewhere && otherPrimary !== undefined ? otherPrimary : jsonAdopter(this.#loop);
  }

  /** What the disk does not take at the moment: writes, or checkpoints. */
  diskTrouble(): { readonly [What in 'writes' | 'checkpoints']: DiskTrouble | undefined } {
    return { writes: this.#disk.trouble, checkpoints: this.#checkpoints.trouble };
  }

  /**
   * Brings the checkpoint files up to everything applied so far (I7), also when something else has
   * changed them; then that is kept aside.
   * @throws {TandemError} as `CheckpointRuns.now`
   */
  checkpoint(): Promise<void> {
    return this.#checkpoints.now();
  }

  #updatePhase(change: Partial<JsonPhaseState>): Promise<void> {
    return this.#loop.exclusive(() => {
      const phase = { ...this.#core.manifest.phase, ...change };
      return this.#disk.during(() => updateManifest(this.#context, this.#core, { phase }));
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
    await this.#shelf.refresh();
    if (options.checkpointNow) await this.#checkpoints.start();
    if (options.adoptExternalEdits && acceptsWrites(this.phase.read())) {
      await this.#shelf.adoptAll(jsonAdopter(this.#loop));
    }
  }

  #onBroken(error: StorageBroken): void {
    this.#context.log.error({ error: error.message }, 'The JSON store stops until it is recovered');
    this.#disk.broken(error.message);
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
    await this.#checkpoints.settled();
    await this.#loop.drained();
    await closeJournal(this.#context, this.#core.journal);
    const core = await recoverInPlace(this.#context, this.#ending.signal);
    if (core === undefined) return;
    this.#core = core;
    this.#outbox.reset();
    await this.#shelf.tryRefresh();
    this.#loop.restart();
    this.#disk.fine();
    this.#context.log.warn({}, 'The JSON store was recovered from disk and serves again');
  }

  /** Where the store ended, for a follower to go on from. Once it is closed nothing changes it. */
  get end(): SnapshotPlace {
    if (this.#closing === undefined) throw new Error('The JSON store has not ended.');
    const { manifest, memory, journal } = this.#core;
    const { number, length, ...mark } = journal.mark;
    return { manifest, memory, segment: number, position: { ...mark, offset: length } };
  }

  /**
   * Closes the store and lets go of its lock, whatever happens meanwhile. Idempotent.
   * @param options.checkpoint false for handing the store over at once: the journal has it all, and
   *   the next holder brings the files up (I7 is owed by a clean stop, not by a hand-over)
   * @throws {TandemError} when the last checkpoint failed: the store is closed and nothing is lost, but
   *   the files lack what the journal has; `storage-full`, `storage-failed`
   */
  close({ checkpoint = true }: { readonly checkpoint?: boolean } = {}): Promise<void> {
    this.#closing ??= this.#close(checkpoint);
    return this.#closing;
  }

  async #close(checkpoint: boolean): Promise<void> {
    this.#ending.abort();
    this.#idleMark.end();
    this.#disk.end();
    const closed = new TandemError('unavailable', 'The JSON store is closed.');
    this.#loop.closeToWrites(closed);
    await this.#reopening;
    const behind = await this.#checkpoints.end(checkpoint);
    await markJournal(this.#context, this.#loop, () => this.#core, this.#outbox.relayedSeq);
    this.#loop.stop(closed);
    await this.#reopening;
    await this.#loop.drained();
    await closeJournal(this.#context, this.#core.journal);
    await this.#lock.release();
    if (behind !== undefined) throw behind;
  }
}
