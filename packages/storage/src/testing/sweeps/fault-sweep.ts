//   for each kind of fault, once and lasting: the 1st, 2nd, 3rd … call fails, until none is reached
//   run ──> failed call: reads go on ──> fault lifted ──> the store serves again ──> the run goes on
//   and at moments behind the fault: the power is cut, nothing unsynced is left, compare
import { type Collection, loadCollections } from '../../collections/index.ts';
import { sentenceOf } from '../../errors.ts';
import { below, randomFrom } from '../seeded-random.ts';
import { SimulatedDisk } from '../simulated-disk.ts';
import { SimulatedMachine } from '../simulated-file-system.ts';
import { Driver } from './driver.ts';
import type { Expectation } from './expectation.ts';
import { FAULT_KINDS, FaultPlan } from './faults.ts';
import { prepareDisk } from './place.ts';
import { verifyDisk } from './verify.ts';
import { type Action, workloadOf } from './workload.ts';

/** A store that recovers waits in real time now and then; others run meanwhile. */
const RUNS_AT_ONCE = 8;
/** Moments behind a fault at which the power is cut. */
const CUTS_MAX = 6;

/** What every workload of this sweep begins with, so that each part is reached. */
const BEGINNING: readonly Action[] = [
  { kind: 'phase', step: 'dual' },
  { kind: 'group' },
  { kind: 'group-in-checkpoint' },
  { kind: 'group' },
  { kind: 'phase', step: 'flags' },
  { kind: 'killed-group' },
  { kind: 'foreign-edit' },
  { kind: 'checkpoint' },
  { kind: 'group' },
];

export interface FaultSweep {
  /** Runs in which a call failed. */
  readonly runs: number;
  /** Calls that failed. */
  readonly faults: number;
  readonly cuts: number;
  readonly violations: readonly string[];
}

export interface FaultReplay {
  readonly kind: string;
  readonly at: number;
  readonly sticky: boolean;
}

/**
 * @param options.workloads how many workloads of consecutive seeds
 * @param options.length random actions behind the fixed beginning
 */
export async function faultSweep(options: {
  readonly seed: number;
  readonly workloads: number;
  readonly length: number;
  readonly only?: FaultReplay;
  readonly told?: (sweep: FaultSweep) => void;
}): Promise<FaultSweep> {
  const collections = await loadCollections();
  const total = { runs: 0, faults: 0, cuts: 0, violations: [] as string[] };
  for (let seed = options.seed; seed < options.seed + options.workloads; seed++) {
    const run = new FaultRuns(collections, seed, options.length, total);
    if (options.only !== undefined) {
      await run.once(options.only);
      break;
    }
    for (const kind of Object.keys(FAULT_KINDS)) {
      for (const sticky of [false, true]) {
        await run.untilNoneIsReached(kind, sticky);
        if (total.violations.length > 0) return total;
      }
    }
    options.told?.(total);
  }
  return total;
}

class FaultRuns {
  readonly #collections: readonly Collection[];
  readonly #seed: number;
  readonly #length: number;
  readonly #total: { runs: number; faults: number; cuts: number; violations: string[] };

  constructor(
    collections: readonly Collection[],
    seed: number,
    length: number,
    total: { runs: number; faults: number; cuts: number; violations: string[] },
  ) {
    this.#collections = collections;
    this.#seed = seed;
    this.#length = length;
    this.#total = total;
  }

  async untilNoneIsReached(kind: string, sticky: boolean): Promise<void> {
    let next = 0;
    let reached = true;
    const work = async (): Promise<void> => {
      while (reached && this.#total.violations.length === 0) {
        const found = await this.once({ kind, sticky, at: next++ });
        reached &&= found;
      }
    };
    await Promise.all(Array.from({ length: RUNS_AT_ONCE }, work));
  }

  /** @returns whether the fault was reached */
  async once({ kind, at, sticky }: FaultReplay): Promise<boolean> {
    const plan = new FaultPlan(kind, at, sticky);
    const moments: { disk: SimulatedDisk; expected: Expectation }[] = [];
    const disk = new SimulatedDisk();
    const machine = new SimulatedMachine(disk, { fault: (operation) => plan.faultOf(operation) });
    const workload = workloadOf(randomFrom(this.#seed), this.#seed, this.#length);
    const actions = [...BEGINNING, ...workload.actions];
    prepareDisk(disk, workload);
    const driver: Driver = new Driver({ ...workload, actions }, machine, this.#collections, {
      faulty: true,
      trouble: () => plan.lift(),
      expectationChanged: () => {
        if (plan.injected === 0) return;
        moments.push({ disk: disk.clone(), expected: driver.keeper.current });
      },
    });
    plan.arm();
    try {
      await driver.run();
      await this.#cut(moments, at);
    } catch (error) {
      const place = `--seed ${this.#seed} --kind ${kind} --at ${at} --sticky ${sticky}`;
      this.#total.violations.push(`${place}: ${sentenceOf(error)}`);
    }
    if (plan.injected === 0) return false;
    this.#total.runs++;
    this.#total.faults += plan.injected;
    return true;
  }

  /** The power fails, and nothing that was not synced is left. */
  async #cut(
    moments: readonly { disk: SimulatedDisk; expected: Expectation }[],
    at: number,
  ): Promise<void> {
    const random = randomFrom(this.#seed * 31 + at);
    for (let cut = 0; cut < Math.min(CUTS_MAX, moments.length); cut++) {
      const moment = moments.at(cut === 0 ? -1 : below(random, moments.length));
      if (moment === undefined) return;
      const left = moment.disk.components().map(() => 0);
      const machine = new SimulatedMachine(moment.disk.crash(left));
      await verifyDisk(machine, this.#collections, moment.expected);
      this.#total.cuts++;
    }
  }
}
