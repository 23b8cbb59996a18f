//   a store is closed cleanly, or its power is cut while it is idle ──> one bit flips, or one file loses
//   its end ──> open: the whole acknowledged history, or a refusal that names file and offset
import { type Collection, loadCollections } from '../../collections/index.ts';
import { isTandemError, sentenceOf } from '../../errors.ts';
import { type JsonStore, openJsonStore } from '../../json/index.ts';
import { primaryOf } from '../../phase/index.ts';
import { randomFrom } from '../seeded-random.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { SimulatedMachine } from '../simulated-file-system.ts';
import { contentText, outboxText, StoreModel } from './model.ts';
import { DIRECTORY } from './place.ts';
import { Violation } from './violation.ts';
import { TaskMaker } from './workload.ts';

const BITS = 8;
const OUTBOX_ITEMS_MAX = 1_000_000;
/** A mark is made by the phase change that ends a history, not by a timer. */
const NO_IDLE_MARK_MS = 2 ** 30;
/** Segments have reserved room behind their lines once they have grown a little. */
const ROOM = { fromBytes: 1_000, bytes: 700 };
const DAMAGED = /\.tandem\/(?:manifest\.json|(?:journal|state)-\d+\.log)$/;

/** How a history ends: closed; power cut after the idle mark; power cut right after the last answer. */
export const ENDINGS = ['closed', 'idle', 'at-once'] as const;
export type Ending = (typeof ENDINGS)[number];

export interface CorruptionSweep {
  readonly flips: number;
  readonly truncations: number;
  /** How many of them were refused; the others gave the whole history. */
  readonly refused: number;
  /** Truncations of the last batch that no crash can be told from; only right after an answer. */
  readonly indistinguishable: number;
  /** Bytes of the files that were damaged. */
  readonly bytes: number;
  readonly violations: readonly string[];
}

interface Damage {
  readonly path: string;
  /** Bit of the file that flips, or the length it is cut to. */
  readonly bit?: number;
  readonly length?: number;
}

/**
 * Damages a store of some size in every place, or in a share of them drawn by the seed.
 * @param options.share of the bits and lengths, up to 1: all
 */
export async function corruptionSweep(options: {
  readonly seed: number;
  readonly bytes: number;
  readonly ending: Ending;
  readonly share: number;
  readonly only?: Damage;
  readonly told?: (sweep: CorruptionSweep) => void;
}): Promise<CorruptionSweep> {
  const collections = await loadCollections();
  const random = randomFrom(options.seed);
  const history = await makeHistory(collections, random, options.bytes, options.ending);
  const total = {
    ...{ flips: 0, truncations: 0, refused: 0, indistinguishable: 0, bytes: 0 },
    violations: [] as string[],
  };
  const damages = options.only === undefined ? everyDamage(history.disk) : [options.only];
  for (const [path, { length }] of damagedFiles(history.disk)) {
    total.bytes += length;
    if (length === 0) total.violations.push(`${path} is empty before any damage.`);
  }
  for (const damage of damages) {
    if (options.only === undefined && random() >= options.share) continue;
    if (damage.bit === undefined) total.truncations++;
    else total.flips++;
    try {
      const result = await tryDamage(collections, history, damage, options.ending);
      if (result !== 'whole') total[result]++;
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const what = damage.bit === undefined ? `--length ${damage.length}` : `--bit ${damage.bit}`;
      total.violations.push(
        `--seed ${options.seed} --bytes ${options.bytes} --ending ${options.ending} --path ${damage.path} ${what}: ${error.message}`,
      );
      if (total.violations.length > 5) break;
    }
    if ((total.flips + total.truncations) % 50_000 === 0) options.told?.(total);
  }
  options.told?.(total);
  return total;
}

interface History {
  readonly disk: SimulatedDisk;
  readonly content: string;
  readonly outbox: readonly string[];
  readonly phase: string;
  /** Every state that was acknowledged, in order. */
  readonly prefixes: ReadonlySet<string>;
  /** The last segment, and up to where the manifest knows it to be durable. */
  readonly marked: { readonly path: string; readonly length: number };
}

/** A store with a state file and journal segments, some of them kept for the outbox alone. */
async function makeHistory(
  collections: readonly Collection[],
  random: () => number,
  bytes: number,
  ending: Ending,
): Promise<History> {
  const disk = new SimulatedDisk();
  const store = await open(new SimulatedMachine(disk), collections);
  const model = await StoreModel.of(collections, store);
  await store.phase.update({ phase: 'json-primary' });
  model.setPhase(store.phase.read());
  const tasks = new TaskMaker(random, collections);
  const isBelow = (share: number): boolean =>
    damagedFiles(disk).reduce((sum, [, { length }]) => sum + length, 0) < bytes * share;
  const prefixes = new Set([model.text()]);
  const write = async (): Promise<void> => {
    for (const task of tasks.group(model)) {
      if (task.kind !== 'write') continue;
      model.write(task.write);
      await store.write(task.write);
      prefixes.add(model.text());
    }
  };
  while (isBelow(0.3)) await write();
  await store.checkpoint();
  while (isBelow(0.9)) await write();
  if (ending === 'closed') await store.close({ checkpoint: false });
  if (ending === 'idle') await store.phase.update({});
  if (ending === 'at-once') await write();
  const left = disk.crash(disk.components().map(() => 0));
  const content = await contentText(collections, store);
  const phase = JSON.stringify(store.phase.read());
  if (primaryOf(store.phase.read().phase) !== 'json' || content !== model.text()) {
    throw new Error('The history is not what the model says.');
  }
  return { disk: left, content, phase, outbox: model.outbox, prefixes, marked: markOf(left) };
}

function markOf(disk: SimulatedDisk): History['marked'] {
  const manifest = JSON.parse(
    disk.get(`${DIRECTORY}/.tandem/manifest.json`).cached.toString('utf8'),
  );
  const { number, length } = manifest.segments.at(-1);
  return { path: `${DIRECTORY}/.tandem/journal-${String(number).padStart(8, '0')}.log`, length };
}

const damagedFiles = (disk: SimulatedDisk): [string, Buffer][] =>
  [...disk.files()].filter(([path]) => DAMAGED.test(path));

function* everyDamage(disk: SimulatedDisk): Generator<Damage> {
  for (const [path, bytes] of damagedFiles(disk)) {
    for (let bit = 0; bit < bytes.length * BITS; bit++) yield { path, bit };
    for (let length = 0; length < bytes.length; length++) yield { path, length };
  }
}

function open(machine: SimulatedMachine, collections: readonly Collection[]): Promise<JsonStore> {
  const fileSystem = machine.process().fileSystem;
  return openJsonStore({
    ...{ directory: DIRECTORY, collections, fileSystem, idleMarkMs: NO_IDLE_MARK_MS },
    journalRoom: ROOM,
  });
}

async function tryDamage(
  collections: readonly Collection[],
  history: History,
  damage: Damage,
  ending: Ending,
): Promise<'whole' | 'refused' | 'indistinguishable'> {
  const disk = history.disk.clone();
  const inode = disk.get(damage.path);
  const bytes = Buffer.from(inode.cached.subarray(0, damage.length));
  if (damage.bit !== undefined) {
    const at = Math.floor(damage.bit / BITS);
    bytes[at] = (bytes[at] ?? 0) ^ (1 << (damage.bit % BITS));
  }
  inode.cached = bytes;
  inode.durable = bytes;
  let store: JsonStore;
  try {
    store = await open(new SimulatedMachine(disk), collections);
  } catch (error) {
    return refused(error, damage);
  }
  const content = await contentText(collections, store);
  if (content !== history.content) {
    const { path, length } = history.marked;
    const isBehindMark = damage.path === path && (damage.length ?? -1) >= length;
    if (ending === 'at-once' && isBehindMark && history.prefixes.has(content)) {
      return 'indistinguishable';
    }
    throw new Violation('Silently another store.');
  }
  if (withoutLineage(store.phase.read()) !== withoutLineage(JSON.parse(history.phase))) {
    throw new Violation('Silently another phase.');
  }
  try {
    const items = await store.outbox.read(0, OUTBOX_ITEMS_MAX);
    const found = JSON.stringify(items.map(({ item }) => outboxText(item)));
    if (found !== JSON.stringify(history.outbox)) throw new Violation('Silently another outbox.');
  } catch (error) {
    return refused(error, damage);
  }
  return 'whole';
}

/** An opening may add to what a phase state says of itself. */
const withoutLineage = (phase: object): string =>
  JSON.stringify(Object.entries(phase).filter(([name]) => name !== 'lineage'));

function refused(error: unknown, damage: Damage): 'refused' {
  if (error instanceof Violation) throw error;
  if (!isTandemError(error, 'refused-to-open')) {
    throw new Violation(`Not refused, but failed: ${sentenceOf(error)}`);
  }
  const { file, offset } = error.detail;
  if (typeof file !== 'string' || typeof offset !== 'number') {
    throw new Violation(`Refused without file and offset: ${error.message}`);
  }
  if (file !== damage.path && !damage.path.endsWith('manifest.json')) {
    throw new Violation(`Refused for ${file}: ${error.message}`);
  }
  return 'refused';
}
