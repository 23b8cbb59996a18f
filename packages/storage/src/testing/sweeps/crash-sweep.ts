//   workload ──> points: the disk and the expectation after every change
//   point ──> what a crash may leave ──> open ──> compare ──> sometimes: crash in that recovery, too
import { type Collection, loadCollections } from '../../collections/index.ts';
import { sentenceOf } from '../../errors.ts';
import { crashChoices } from '../crash-choices.ts';
import { randomFrom } from '../seeded-random.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { SimulatedMachine, type SimulatedOperation } from '../simulated-file-system.ts';
import { Driver } from './driver.ts';
import type { Expectation } from './expectation.ts';
import { DIRECTORY, prepareDisk } from './place.ts';
import { verifyDisk } from './verify.ts';
import { Violation } from './violation.ts';
import { workloadOf } from './workload.ts';

const ACTIONS = 40;
const STATES_PER_POINT_MAX = 4;
/** Of so many states one has its recovery swept as well, and one is closed and opened again. */
const NESTED_ONE_IN = 60;
const NESTED_STATES_PER_POINT_MAX = 2;
const CLOSED_ONE_IN = 8;

/** A moment at which the machine may stop. */
interface Point {
  readonly disk: SimulatedDisk;
  readonly expected: Expectation;
  readonly after: string;
}

export interface CrashSweep {
  readonly states: number;
  readonly points: number;
  readonly workloads: number;
  /** Each with the arguments that replay it. */
  readonly violations: readonly string[];
}

/** Which one state to try: what a violation prints. */
export interface Replay {
  readonly point: number;
  readonly choices: string;
}

/**
 * Sweeps workloads of consecutive seeds until so many states were tried.
 * @param options.told hears of progress after each workload
 */
export async function crashSweep(options: {
  readonly seed: number;
  readonly states: number;
  readonly only?: Replay;
  readonly violationsMax?: number;
  readonly told?: (sweep: CrashSweep) => void;
}): Promise<CrashSweep> {
  const collections = await loadCollections();
  const total = { states: 0, points: 0, workloads: 0, violations: [] as string[] };
  for (let seed = options.seed; total.states < options.states; seed++) {
    const points = await pointsOf(collections, seed, total.violations);
    total.workloads++;
    total.points += points.length;
    const sweep = new WorkloadSweep(collections, seed, points, options.only);
    await sweep.run(options.states - total.states);
    total.states += sweep.states;
    total.violations.push(...sweep.violations);
    options.told?.(total);
    if (options.only !== undefined) break;
    if (total.violations.length >= (options.violationsMax ?? 1)) break;
  }
  return total;
}

/** Runs the workload of a seed, without faults, and notes every moment. */
async function pointsOf(
  collections: readonly Collection[],
  seed: number,
  violations: string[],
): Promise<Point[]> {
  const workload = workloadOf(randomFrom(seed), seed, ACTIONS);
  const points: Point[] = [];
  const disk = new SimulatedDisk();
  let driver: Driver | undefined;
  const note = (after: string): void => {
    if (driver === undefined) return;
    points.push({ disk: disk.clone(), expected: driver.keeper.current, after });
  };
  const changed = ({ kind, path }: SimulatedOperation): void => note(`${kind} ${path}`);
  const machine = new SimulatedMachine(disk, { changed });
  prepareDisk(disk, workload);
  driver = new Driver(workload, machine, collections, {
    expectationChanged: () => note('an answer'),
  });
  try {
    await driver.run();
  } catch (error) {
    violations.push(`--seed ${seed}: without any crash: ${sentenceOf(error)}`);
  }
  return points;
}

/** The crash states of one workload. */
class WorkloadSweep {
  states = 0;
  readonly violations: string[] = [];
  readonly #collections: readonly Collection[];
  readonly #seed: number;
  readonly #points: readonly Point[];
  readonly #only: Replay | undefined;

  constructor(
    collections: readonly Collection[],
    seed: number,
    points: readonly Point[],
    only: Replay | undefined,
  ) {
    this.#collections = collections;
    this.#seed = seed;
    this.#points = points;
    this.#only = only;
  }

  async run(limit: number): Promise<void> {
    for (const [number, point] of this.#points.entries()) {
      if (this.#only !== undefined && this.#only.point !== number) continue;
      const random = randomFrom(this.#seed * 31 + number);
      const all = crashChoices(point.disk.components(), STATES_PER_POINT_MAX, random);
      const wanted = this.#only === undefined ? all : [this.#only.choices.split('.').map(Number)];
      for (const choices of wanted) {
        if (this.states >= limit) return;
        await this.#try(number, point, choices);
        if (this.violations.length > 0) return;
      }
    }
  }

  async #try(number: number, point: Point, choices: readonly number[]): Promise<void> {
    const turn = number * 7 + this.states;
    this.states++;
    try {
      const nested: Point[] | undefined =
        this.#only !== undefined || turn % NESTED_ONE_IN === 0 ? [] : undefined;
      await this.#recover(point, choices, nested, turn % CLOSED_ONE_IN === 0);
      if (nested !== undefined) await this.#sweepRecovery(nested, number);
    } catch (error) {
      if (!(error instanceof Violation)) throw error;
      const place = `--seed ${this.#seed} --point ${number} --choices ${choices.join('.') || 0}`;
      this.violations.push(`${place} (after ${point.after}): ${error.message}`);
    }
  }

  /** @param nested takes the moments of this recovery */
  async #recover(
    { disk, expected }: Point,
    choices: readonly number[],
    nested: Point[] | undefined,
    closes: boolean,
  ): Promise<void> {
    const crashed = disk.crash(choices);
    let from = expected;
    const note = ({ kind, path }: SimulatedOperation): void => {
      const after = `a recovery's ${kind} ${path}`;
      nested?.push({ disk: crashed.clone(), expected: from, after });
    };
    const machine = new SimulatedMachine(crashed, nested === undefined ? {} : { changed: note });
    const { store, state } = await verifyDisk(machine, this.#collections, expected);
    // What was served once stays. Adoption made ids and a store that nothing else knows of yet.
    if (state !== undefined) from = { ...expected, states: [state] };
    nested?.push({ disk: crashed.clone(), expected: from, after: 'a recovery' });
    if (!closes || state === undefined) return;
    await store.close();
    for (const { name, file } of this.#collections) {
      const text = crashed.find(`${DIRECTORY}/${file}`)?.cached.toString('utf8') ?? '';
      if (JSON.stringify(JSON.parse(text)) !== state.fileText(name)) {
        throw new Violation(`I7: after a clean stop ${file} lacks something.`);
      }
    }
    const files = Object.fromEntries(
      this.#collections.map(({ name }) => [name, new Set([state.fileText(name)])] as const),
    );
    const after: Expectation = { ...from, files, filesThere: true };
    await verifyDisk(new SimulatedMachine(crashed.crash([])), this.#collections, after);
  }

  async #sweepRecovery(points: readonly Point[], number: number): Promise<void> {
    for (const [index, point] of points.entries()) {
      const random = randomFrom(this.#seed * 131 + number * 17 + index);
      const all = crashChoices(point.disk.components(), NESTED_STATES_PER_POINT_MAX, random);
      for (const choices of all) {
        this.states++;
        try {
          await this.#recover(point, choices, undefined, false);
        } catch (error) {
          if (!(error instanceof Violation)) throw error;
          throw new Violation(
            `then, after ${point.after} (moment ${index}, choices ${choices.join('.') || 0}): ${error.message}`,
          );
        }
      }
    }
  }
}
