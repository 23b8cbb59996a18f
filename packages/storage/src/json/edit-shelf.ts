import { basename } from 'node:path';
import type { EditAdopter, EditDecision, EditOrder, ExternalEdit } from '../changes/index.ts';
import { sentenceOf, TandemError } from '../errors.ts';
import { adoptEdit } from './edit-adoption.ts';
import { type ForeignEdit, listed, readEdits, writeEdit } from './external-edit.ts';
import type { OpenContext } from './open-context.ts';
import { storageError } from './whole-file.ts';

/** Who decides when `ADOPT_EXTERNAL_EDITS` does. */
const BY_CONFIGURATION = { actor: 'ADOPT_EXTERNAL_EDITS', reason: 'set in the environment' };

/** The foreign edits that a store has kept aside, and what is decided about them. */
export class EditShelf {
  readonly #context: OpenContext;
  #edits: readonly ForeignEdit[] = [];
  /** One decision at a time: two about one edit must not both find it open. */
  #deciding: Promise<unknown> = Promise.resolve();

  constructor(context: OpenContext) {
    this.#context = context;
  }

  /** Oldest first. */
  get edits(): readonly ExternalEdit[] {
    return this.#edits.map(listed);
  }

  /** Takes note of what was kept aside meanwhile. */
  async refresh(): Promise<void> {
    this.#edits = await readEdits(this.#context);
  }

  /** As `refresh`; where that fails the next checkpoint takes note. */
  async tryRefresh(): Promise<void> {
    await this.refresh().catch((error: unknown) => {
      const sentence = 'External edits could not be read';
      this.#context.log.warn({ error: sentenceOf(error) }, sentence);
    });
  }

  /** Adopts every open edit that can be read; one in conflict stays open. */
  async adoptAll(primary: EditAdopter): Promise<void> {
    for (const { name, status, problem } of this.#edits) {
      if (status !== 'open' || problem !== undefined) continue;
      await this.decide({ edit: name, act: 'adopt', ...BY_CONFIGURATION }, primary);
    }
  }

  /**
   * Adopts or rejects an edit; durable when it resolves. Adopting leaves it open when some of its
   * records are in conflict: what could be adopted is, and it may be adopted again or rejected.
   * @throws {TandemError} `not-found`; `conflict` when it was decided before, or can't be read;
   *   `storage-full`, `storage-failed`; as `EditAdopter`
   */
  decide(order: EditOrder, primary: EditAdopter): Promise<ExternalEdit> {
    const decided = this.#deciding
      .then(() => this.#decide(order, primary))
      .catch((error: unknown) => {
        throw storageError('deciding about an external edit', error);
      });
    // Whoever asked for it is told of its failure.
    this.#deciding = decided.catch(() => {});
    return decided;
  }

  async #decide({ edit: name, ...order }: EditOrder, primary: EditAdopter): Promise<ExternalEdit> {
    await this.refresh();
    const edit = this.#edits.find((one) => one.name === name);
    if (edit === undefined) throw noSuchEdit(name);
    const refuse = (sentence: string): never => {
      throw new TandemError('conflict', `The edit ${name} ${sentence}`);
    };
    if (edit.status !== 'open') return refuse(`was ${edit.status} before.`);
    if (order.act === 'adopt' && edit.problem !== undefined) {
      return refuse(`can't be adopted, only rejected: ${edit.problem}`);
    }
    const decision: EditDecision = { ...order, at: new Date(this.#context.now()).toISOString() };
    const next: ForeignEdit =
      order.act === 'adopt'
        ? await adoptEdit(this.#context, primary, edit)
        : { ...edit, status: 'rejected', records: [] };
    const decided = { ...next, decisions: [...edit.decisions, decision] };
    await writeEdit(this.#context, decided);
    await this.refresh();
    const { status, conflicting, unfit } = decided;
    this.#context.log.warn(
      { edit: name, ...order, status, conflicting, unfit },
      status === 'open'
        ? `The external edit ${name} was adopted but for ${conflicting.length + unfit.length} of its records`
        : `The external edit ${name} was ${status}`,
    );
    return listed(decided);
  }
}

export const noSuchEdit = (name: string): TandemError =>
  new TandemError('not-found', `There is no external edit ${basename(name)}.`);
