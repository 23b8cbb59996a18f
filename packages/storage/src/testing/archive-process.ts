//   node archive-process.ts <directory> <archive>    packs a store, and stops for good while it reads back
import { writeSync } from 'node:fs';
import { loadCollections } from '../collections/index.ts';
import { archiveJsonStore, realFileSystem } from '../json/index.ts';
import { interceptFileSystem } from './intercepted-file-system.ts';

/** A process of its own that is killed in the middle of making an archive. */
const [directory = '', file = ''] = process.argv.slice(2);
const alive = setInterval(() => {}, 60_000);
const fileSystem = interceptFileSystem(realFileSystem, ({ kind, path }) => {
  if (kind !== 'read' || !path.includes('.check')) return;
  writeSync(1, 'reads back\n');
  return new Promise(() => {});
});
await archiveJsonStore({
  ...{ directory, collections: await loadCollections(), file, fileSystem },
  ...{ actor: 'test', reason: 'It will be killed.', mayArchive: async () => undefined },
});
clearInterval(alive);
