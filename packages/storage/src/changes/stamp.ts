/**
 * The position of one state of a record: `(epoch, version)`. `version` counts the record's changes
 * and only the primary raises it; `epoch` counts the phase changes of the whole system.
 */
export interface Stamp {
  readonly epoch: number;
  readonly version: number;
}

/** Negative, zero or positive as `a` is before, equal to or after `b`: epoch first, then version. */
export const compareStamps = (a: Stamp, b: Stamp): number =>
  a.epoch - b.epoch || a.version - b.version;

/** The strong entity tag of a state, quotes included (RFC 9110, section 8.8.3). */
export const entityTag = ({ epoch, version }: Stamp): string => `"${epoch}-${version}"`;
