import { loadCollections } from '../collections/index.ts';
import { type JsonStore, type JsonStoreOptions, openJsonStore } from '../json/index.ts';
import { crashChoices } from './crash-choices.ts';
import { randomFrom } from './seeded-random.ts';
import { SimulatedDisk } from './simulated-disk.ts';
import { type Fault, SimulatedMachine, type SimulatedOperation } from './simulated-file-system.ts';

/** Where the store of `simulatedStore` lies. */
const SIMULATED_DIRECTORY = '/data';

/** Far beyond any test: marks are made where a test asks for them. */
const NO_IDLE_MARK_MS = 2 ** 30;
const STATES_PER_MOMENT_MAX = 48;

/** A simulated disk whose moments can be kept, and stores on it. */
export class WatchedDisk {
  readonly disk: SimulatedDisk;
  /** The disk behind each change since watching began. */
  readonly moments: SimulatedDisk[] = [];
  fault: ((operation: SimulatedOperation) => Fault | undefined) | undefined;
  #watching = false;

  constructor(disk = new SimulatedDisk()) {
    this.disk = disk;
    disk.mkdir(SIMULATED_DIRECTORY, 0o700);
    disk.syncDirectory('/');
  }

  watch(): void {
    this.#watching = true;
  }

  async open(options: Partial<JsonStoreOptions> = {}): Promise<JsonStore> {
    const machine = new SimulatedMachine(this.disk, {
      fault: (operation) => this.fault?.(operation),
      changed: () => {
        if (this.#watching) this.moments.push(this.disk.clone());
      },
    });
    return openJsonStore({
      ...{ directory: SIMULATED_DIRECTORY, collections: await loadCollections() },
      ...{ fileSystem: machine.process().fileSystem, idleMarkMs: NO_IDLE_MARK_MS, ...options },
    });
  }

  /** A durable file that something else wrote. */
  put(name: string, text: string): void {
    const inode = this.disk.create(`${SIMULATED_DIRECTORY}/${name}`, { mode: 0o644 });
    this.disk.write(inode, Buffer.from(text), 0);
    this.disk.sync(inode);
    this.disk.syncDirectory(SIMULATED_DIRECTORY);
  }

  read(name: string): string | undefined {
    return this.disk.find(`${SIMULATED_DIRECTORY}/${name}`)?.cached.toString('utf8');
  }

  /** What a crash at any of the moments may leave. */
  *crashes(statesPerMomentMax = STATES_PER_MOMENT_MAX): Generator<WatchedDisk> {
    for (const moment of this.moments) {
      for (const choices of crashChoices(moment.components(), statesPerMomentMax, randomFrom(1))) {
        yield new WatchedDisk(moment.crash(choices));
      }
    }
  }
}
