//   an interrupted write leaves of each sector the new bytes, or zeros, or is cut short:
//     line line li            cut short, or zeros from there on ──> torn
//     line 000000 ne commit   a sector lacks  ──> torn
//     line lXne commit        all of it is there, and it does not fit ──> damaged
import { checkLine } from './line-codec.ts';

/** What a disk writes whole or not at all, in bytes; larger sectors are multiples of it. */
const SECTOR_BYTES = 512;
const NEWLINE = 0x0a;

/**
 * Tells a write that was interrupted from one that arrived and was damaged later (I12). Reserved room is
 * zeros, and appended space reads as zeros until its bytes arrive, on every file system that does not show
 * old blocks.
 *
 * @param rest what follows the last whole batch, up to the end of the file or to where nothing but
 *   reserved room follows
 * @param after where that batch ended: place in the file, and checksum of its last line
 * @returns why it can't be what an interrupted write leaves, or `undefined` when it can
 */
export function damageOfTail(
  rest: Buffer,
  after: { readonly offset: number; readonly checksum: number },
): string | undefined {
  if (lacksSector(rest, after.offset)) return undefined;
  let { checksum } = after;
  for (let at = 0; at < rest.length; ) {
    const line = checkLine(rest, at, checksum);
    if (line === 'short') {
      // The beginning of a line has no newline in it; one there means that the length is wrong.
      if (rest.indexOf(NEWLINE, at) < 0) return undefined;
      return "a line's length does not fit.";
    }
    if ('problem' in line) return line.problem;
    checksum = line.checksum;
    at = line.to + 1;
  }
  return undefined;
}

/** Cuts the reserved room off: no line has a zero byte in it. */
export function withoutRoom(rest: Buffer): Buffer {
  let end = rest.length;
  while (end > 0 && rest[end - 1] === 0) end--;
  return rest.subarray(0, end);
}

/** Whether all that lies in one of the disk's sectors is zeros. */
function lacksSector(rest: Buffer, offset: number): boolean {
  for (let from = 0; from < rest.length; ) {
    const to = Math.min(from + SECTOR_BYTES - ((offset + from) % SECTOR_BYTES), rest.length);
    if (rest.subarray(from, to).every((byte) => byte === 0)) return true;
    from = to;
  }
  return false;
}
