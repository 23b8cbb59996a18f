interface StampLike {
  readonly epoch: number;
  readonly version: number;
}

/** `4-17`, as the entity tag of a record has it: epoch, then version. */
export const stampText = (stamp: StampLike | null | undefined, none = '–'): string =>
  stamp === null || stamp === undefined ? none : `${stamp.epoch}-${stamp.version}`;
