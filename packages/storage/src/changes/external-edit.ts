/** What an operator wants done with an edit, and why. */
export interface EditOrder {
  /** Its name. */
  readonly edit: string;
  readonly act: 'adopt' | 'reject';
  readonly actor: string;
  readonly reason: string;
}

/** An order that was carried out, at an ISO instant. */
export interface EditDecision extends Omit<EditOrder, 'edit'> {
  readonly at: string;
}

/** A foreign edit of a checkpoint file, as it is listed. */
export interface ExternalEdit {
  /** Of the kept file; it names the edit. */
  readonly name: string;
  readonly collection: string;
  /** Where the edited file is kept. */
  readonly keptAt: string;
  /** ISO instant it was found at. */
  readonly at: string;
  readonly status: 'open' | 'adopted' | 'rejected';
  /** Ids the edit added, changed and removed, against the checkpoint it was an edit of. */
  readonly added: readonly number[];
  readonly changed: readonly number[];
  readonly removed: readonly number[];
  /** Records it added without an id; adoption gives them one. */
  readonly withoutId: number;
  /** Ids that were not adopted: the primary had changed them too, or can't hold them. */
  readonly conflicting: readonly number[];
  readonly unfit: readonly number[];
  /** What was decided about it, in order; an adoption that left something is followed by another. */
  readonly decisions: readonly EditDecision[];
  /** Why the edited file can't be read as records. */
  readonly problem?: string;
}

/** One record's difference; `null` stands for no record. `id` is missing where the edit gave none. */
export interface EditedRecord {
  readonly id?: number;
  readonly from: string | null;
  readonly to: string | null;
  readonly fits: boolean;
}
