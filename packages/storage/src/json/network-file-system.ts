import { sentenceOf } from '../errors.ts';
import type { OpenContext } from './open-context.ts';

/**
 * File systems whose `fsync`, `rename` and locks are promises of a server or of a program, by the magic
 * number that `statfs` gives. From Linux' `include/uapi/linux/magic.h` and statfs(2); Lustre, GPFS and
 * BeeGFS from the list of GNU coreutils (`src/stat.c`).
 */
const KINDS: ReadonlyMap<number, string> = new Map([
  [0x6969, 'NFS'],
  [0x517b, 'SMB'],
  [0xff534d42, 'CIFS'],
  [0xfe534d42, 'SMB2'],
  [0x01021997, '9p'],
  [0x65735546, 'FUSE'],
  [0x00c36400, 'Ceph'],
  [0x5346414f, 'AFS'],
  [0x6b414653, 'AFS'],
  [0x73757245, 'Coda'],
  [0x564c, 'NCP'],
  [0x7461636f, 'OCFS2'],
  [0x01161970, 'GFS2'],
  [0x0bd00bd0, 'Lustre'],
  [0x47504653, 'GPFS'],
  [0x19830326, 'BeeGFS'],
]);

/**
 * Warns of a folder that may not keep the promises the store is built on. It is no refusal: many such
 * mounts keep them, and somebody whose files lie there has nowhere else to begin.
 */
export async function warnOfNetwork({ fileSystem, layout, log }: OpenContext): Promise<void> {
  const { directory } = layout;
  let type: number;
  try {
    type = await fileSystem.typeOf(directory);
  } catch (error) {
    log.debug({ error: sentenceOf(error) }, `The file system of ${directory} did not say its kind`);
    return;
  }
  // Some systems give it as a signed number of 32 bits.
  const kind = KINDS.get(type >>> 0);
  if (kind === undefined) return;
  const sentence = `${directory} lies on a ${kind} file system: the JSON store's durability and its lock are only as good as the promises of that mount. A local disk is safe.`;
  log.warn({ directory, kind }, sentence);
}
