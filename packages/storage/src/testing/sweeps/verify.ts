import type { Collection } from '../../collections/index.ts';
import { sentenceOf } from '../../errors.ts';
import { type JsonStore, openJsonStore } from '../../json/index.ts';
import type { SimulatedDisk } from '../simulated-disk.ts';
import type { SimulatedMachine } from '../simulated-file-system.ts';
import { compact, type Expectation } from './expectation.ts';
import { contentText, outboxText, phaseText, type StoreModel } from './model.ts';
import { DIRECTORY } from './place.ts';
import { differenceOf, Violation } from './violation.ts';

const READ_ITEMS_MAX = 1_000_000;
const NOW = Date.parse('2026-01-02T00:00:00Z');

export interface Verified {
  readonly store: JsonStore;
  /** The state that the store was opened with. */
  readonly state: StoreModel;
}

/**
 * Opens a store on a disk as a crash left it, and compares it with what may and must be there.
 * @throws {Violation}
 */
export async function verifyDisk(
  machine: SimulatedMachine,
  collections: readonly Collection[],
  expected: Expectation,
): Promise<Verified> {
  verifyFiles(machine.disk, collections, expected);
  const store = await open(machine, collections);
  const content = await contentText(collections, store);
  const state = expected.states.find((one) => one.text() === content);
  // Nothing is acknowledged before the first open resolves; what adoption makes has no model yet.
  if (state === undefined && expected.states.length > 0) {
    const allowed = expected.states.map((one) => one.text());
    throw new Violation(differenceOf(content, allowed));
  }
  const phase = phaseText(store.phase.read());
  if (expected.phases.length > 0 && !samePhase(expected.phases, phase)) {
    throw new Violation(`The phase is ${phase} instead of ${expected.phases.join(' or ')}.`);
  }
  if (state !== undefined) await verifyOutbox(store, state, expected);
  verifyForeign(machine.disk, store, expected);
  return { store, state: state as StoreModel };
}

const samePhase = (phases: readonly string[], phase: string): boolean => phases.includes(phase);

async function open(
  machine: SimulatedMachine,
  collections: readonly Collection[],
): Promise<JsonStore> {
  let now = NOW;
  try {
    return await openJsonStore({
      ...{ directory: DIRECTORY, collections, now: () => now++ },
      fileSystem: machine.process().fileSystem,
    });
  } catch (error) {
    throw new Violation(`The store does not open: ${sentenceOf(error)}`, { cause: error });
  }
}

/** I7: each file is whole, and as of some moment since the last completed checkpoint. */
function verifyFiles(
  disk: SimulatedDisk,
  collections: readonly Collection[],
  expected: Expectation,
): void {
  for (const { name, file } of collections) {
    const bytes = disk.find(`${DIRECTORY}/${file}`)?.cached;
    if (bytes === undefined) {
      if (expected.filesThere) throw new Violation(`I7: ${file} is not there.`);
      continue;
    }
    let text: string;
    try {
      text = compact(bytes.toString('utf8'));
    } catch (error) {
      throw new Violation(`I7: ${file} is not whole: ${sentenceOf(error)}`);
    }
    if (expected.states.length > 0 && !expected.files[name]?.has(text)) {
      throw new Violation(`I7: ${file} holds what it never should: ${text}`);
    }
  }
}

/** I2: what was acknowledged in `json-primary` is in the outbox, from the first that is not dropped. */
async function verifyOutbox(
  store: JsonStore,
  state: StoreModel,
  expected: Expectation,
): Promise<void> {
  const head = store.outbox.head();
  if (head !== state.outbox.length) throw new Violation(`I2: the outbox ends at ${head}.`);
  let read: Awaited<ReturnType<typeof store.outbox.read>>;
  // After a catch-up mark older items may be gone; what is left has no gap.
  const mayLack = store.phase.read().catchUpSince !== null;
  let from = expected.relayed;
  for (;;) {
    try {
      read = await store.outbox.read(Math.min(from, head), READ_ITEMS_MAX);
      break;
    } catch (error) {
      if (!mayLack || from >= head) throw new Violation(`I2: ${sentenceOf(error)}`);
      from++;
    }
  }
  const wanted = state.outbox.slice(from);
  if (read.length !== wanted.length) throw new Violation(`I2: ${read.length} items are left.`);
  for (const [index, { seq, item }] of read.entries()) {
    if (seq !== from + index + 1 || outboxText(item) !== wanted[index]) {
      throw new Violation(`I2: item ${from + index + 1} of the outbox is another one.`);
    }
  }
}

/** A foreign edit is never lost and never invented. */
function verifyForeign(disk: SimulatedDisk, store: JsonStore, { foreign }: Expectation): void {
  const edits = store.externalEdits();
  for (const { keptAt } of edits) {
    const kept = disk.find(keptAt)?.cached.toString('utf8');
    if (foreign === undefined || kept !== foreign) {
      throw new Violation('A file of our own was taken for a foreign edit.');
    }
  }
  if (foreign === undefined) return;
  if (![...disk.files().values()].some((bytes) => bytes.toString('utf8') === foreign)) {
    throw new Violation('The foreign edit is lost.');
  }
}
