/** What a disk writes whole or not at all, in bytes. */
export const SECTOR_BYTES = 512;

export const EMPTY: Buffer = Buffer.alloc(0);

/** One unsynced change of a file: the bytes it touched, and the whole content behind it. */
export interface FileEdit {
  readonly tick: number;
  readonly from: number;
  readonly to: number;
  readonly after: Buffer;
}

/** One unsynced change of a name; `inode` is `undefined` where the name went. */
export interface NameEdit {
  readonly tick: number;
  readonly inode: Inode | undefined;
  /** The old name of a rename goes only with, or after, the new one's coming. */
  readonly needs?: { readonly name: string; readonly tick: number };
}

/** A file or directory. Its buffers are never changed, only replaced: copies share them. */
export interface Inode {
  readonly number: number;
  readonly isDirectory: boolean;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** What readers see. */
  cached: Buffer;
  /** What a crash leaves for certain. */
  durable: Buffer;
  pending: FileEdit[];
  /** Tick of the last change; part of the identity that `stat` gives. */
  changed: number;
}

/** Sectors that an edit touches, from the first to behind the last. */
export const sectorsOf = ({ from, to }: FileEdit): [number, number] => [
  Math.floor(from / SECTOR_BYTES),
  Math.ceil(to / SECTOR_BYTES),
];

/** Pending edits by sector. */
export function sectorEdits(inode: Inode): Map<number, FileEdit[]> {
  const found = new Map<number, FileEdit[]>();
  for (const edit of inode.pending) {
    const [first, end] = sectorsOf(edit);
    for (let sector = first; sector < end; sector++) {
      const edits = found.get(sector);
      if (edits === undefined) found.set(sector, [edit]);
      else edits.push(edit);
    }
  }
  return found;
}
