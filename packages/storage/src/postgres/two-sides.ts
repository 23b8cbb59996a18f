import type { VerifySide } from '../consistency/verify-run.ts';

/** A side that had nothing at all is absent; a tombstone has a stamp and no text. */
export function sideOf(
  name: 'primary' | 'secondary',
  epoch: unknown,
  version: unknown,
  text: unknown,
): Partial<Record<'primary' | 'secondary', VerifySide>> {
  if (epoch === null && text === null) return {};
  const side = epoch === null ? { text } : { epoch, version, text };
  return { [name]: side as VerifySide };
}
