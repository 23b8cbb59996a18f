//   node json-writer-process.ts <directory> write    writes for ever; says each acknowledged note
//   node json-writer-process.ts <directory> hold     holds the store; hands it over when asked
//   node json-writer-process.ts <directory> acquire  asks for the store, takes it, closes it
import { writeSync } from 'node:fs';
import { loadCollections } from '../collections/index.ts';
import { acquireJsonStore, openJsonStore } from '../json/index.ts';

/** A process of its own that works on a JSON store, for tests that kill it or talk to it. */
const [directory = '', role = ''] = process.argv.slice(2);
const collections = await loadCollections();
const say = (line: string): void => void writeSync(1, `${line}\n`);
const WRITERS = 8;
const CHECKPOINT_AFTER_BYTES = 64 << 10;

const options = {
  directory,
  collections,
  processName: `writer ${role}`,
  checkpointAfterBytes: CHECKPOINT_AFTER_BYTES,
};
const store =
  role === 'acquire'
    ? await acquireJsonStore(options, { timeoutMs: 20_000 })
    : await openJsonStore(options);
say('open');

const collection = collections[0];
if (collection === undefined) throw new Error('There is no collection.');
const values = { date: '2025-12-07', business: null, category: 'Food', amount: '1.5' };

async function writeForEver(writer: number): Promise<void> {
  if (collection === undefined) return;
  for (let round = 0; ; round++) {
    const notes = `${writer}-${round}`;
    const set = { ...values, account: 'Cash', currency: '₪', notes };
    await store.write({ command: { op: 'create', collection, values: set } });
    say(notes);
  }
}

if (role === 'write') {
  await Promise.all(Array.from({ length: WRITERS }, (_, writer) => writeForEver(writer)));
} else if (role === 'hold') {
  const alive = setInterval(() => {}, 60_000);
  store.onHandoverRequested(({ processName }) => {
    say(`asked by ${processName}`);
    void store.close().then(() => {
      say('released');
      clearInterval(alive);
    });
  });
} else {
  await store.close();
  say('closed');
}
