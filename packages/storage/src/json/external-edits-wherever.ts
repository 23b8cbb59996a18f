import type { EditAdopter, EditedRecord, EditOrder, ExternalEdit } from '../changes/index.ts';
import type { Collection } from '../collections/index.ts';
import { sentenceOf } from '../errors.ts';
import type { Log } from '../log.ts';
import type { AuditEntry } from '../replication/index.ts';
import { askOrDo } from './ask-holder.ts';
import { noSuchEdit } from './edit-shelf.ts';
import { editErrand } from './errands.ts';
import { listed, readEdits } from './external-edit.ts';
import { realFileSystem } from './file-system.ts';
import { layoutOf } from './layout.ts';
import { openJsonStore } from './open.ts';
import { storageError } from './whole-file.ts';

/** An edit with both texts of each record that it changed and that nobody has decided about. */
export interface ShownEdit extends ExternalEdit {
  readonly records: readonly EditedRecord[];
}

/** What operators see of a store's external edits and do about them, whoever holds the store. */
export interface ExternalEdits {
  /** Oldest first. @throws {TandemError} `storage-failed` */
  list(): Promise<readonly ExternalEdit[]>;
  /** @throws {TandemError} `not-found`, `storage-failed` */
  show(name: string): Promise<ShownEdit>;
  /**
   * The holder of the store does it, while it serves; else the store is opened and closed here.
   * @throws {TandemError} `not-found`; `conflict` when the edit was decided before or can't be read;
   *   `unavailable` without an answer in time; as `EditAdopter` and `openJsonStore`
   */
  decide(order: EditOrder): Promise<ExternalEdit>;
}

export interface ExternalEditsOptions {
  readonly directory: string;
  readonly collections: readonly Collection[];
  readonly log: Log;
  readonly timeoutMs: number;
  /** Takes what is adopted in the phases in which it is the primary. */
  readonly postgres: EditAdopter;
  /** Keeps who decided what and why beside all that operators do. The edit's own entry has it anyway:
   *  what fails here is only said. */
  readonly audit: (entry: AuditEntry) => Promise<void>;
}

/** The external edits of the store in a directory. */
export function externalEditsOf(options: ExternalEditsOptions): ExternalEdits {
  const { directory, timeoutMs } = options;
  const read = async () => {
    try {
      return await readEdits({ fileSystem: realFileSystem, layout: layoutOf(directory) });
    } catch (error) {
      throw storageError('reading external edits', error);
    }
  };
  return {
    list: async () => (await read()).map(listed),
    async show(name) {
      const found = (await read()).find((edit) => edit.name === name);
      if (found === undefined) throw noSuchEdit(name);
      return { ...listed(found), records: found.records };
    },
    async decide(order) {
      // A folder without a store is not made one by asking.
      if (!(await read()).some(({ name }) => name === order.edit)) throw noSuchEdit(order.edit);
      const here = () => decideHere(options, order);
      const errand = editErrand(directory);
      const { result } = await askOrDo(directory, errand, order, { timeoutMs, here });
      await keepInAuditLog(options, order, result);
      return result;
    },
  };
}

async function keepInAuditLog(
  { audit, log }: ExternalEditsOptions,
  { act, actor, reason }: EditOrder,
  { name, collection, status, added, changed, removed, conflicting, unfit }: ExternalEdit,
): Promise<void> {
  const details = { edit: name, collection, status, added, changed, removed, conflicting, unfit };
  try {
    await audit({ actor, reason, action: `${act}-external-edit`, details });
  } catch (error) {
    const sentence = 'The decision stands, and is kept with the edit, but is not in the audit log';
    log.warn({ edit: name, error: sentenceOf(error) }, `${sentence}: ${sentenceOf(error)}`);
  }
}

async function decideHere(options: ExternalEditsOptions, order: EditOrder): Promise<ExternalEdit> {
  const { directory, collections, log, postgres } = options;
  const store = await openJsonStore({
    ...{ directory, collections, log, otherPrimary: postgres },
    processName: 'external-edits',
  });
  try {
    return await store.decideEdit(order);
  } finally {
    await store.close();
  }
}
