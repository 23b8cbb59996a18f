import { corruptionSweep, crashSweep, ENDINGS, faultSweep } from '@tandem/storage/testing/sweeps';

type Options = Readonly<Record<string, { readonly type: 'string' }>>;

interface SweepCommand {
  readonly options: Options;
  /** @returns what was found, each with the arguments that replay it */
  run(
    values: Readonly<Record<string, string | undefined>>,
    say: (line: string) => void,
  ): Promise<readonly string[]>;
}

const optionsOf = (...names: string[]): Options =>
  Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));

const numberOf = (text: string | undefined, otherwise: number): number =>
  text === undefined ? otherwise : Number(text);

const anySeed = (): number => Math.floor(Math.random() * 2 ** 31);

const thousands = (count: number): string => count.toLocaleString('en');

const CRASH_STATES = 2_000_000;
const FAULT_WORKLOADS = 20;
const FAULT_ACTIONS = 12;
const CORRUPTED_BYTES = 64 << 10;

/** Each sweep with its arguments. */
export const SWEEPS: Readonly<Record<string, SweepCommand>> = {
  crash: {
    options: optionsOf('states', 'seed', 'point', 'choices'),
    async run(values, say) {
      const seed = numberOf(values.seed, anySeed());
      const { point, choices = '0' } = values;
      const told = (sweep: { states: number; points: number; workloads: number }): void =>
        say(
          `crash sweep from seed ${seed}: ${thousands(sweep.states)} disk states at ${thousands(sweep.points)} moments of ${sweep.workloads} workloads`,
        );
      const { violations } = await crashSweep({
        ...{ seed, states: numberOf(values.states, CRASH_STATES), told },
        ...(point === undefined ? {} : { only: { point: Number(point), choices } }),
      });
      say(`${violations.length === 0 ? '0' : 'SOME'} acknowledged writes lost`);
      return violations;
    },
  },
  fault: {
    options: optionsOf('workloads', 'length', 'seed', 'kind', 'at', 'sticky'),
    async run(values, say) {
      const seed = numberOf(values.seed, anySeed());
      const { kind } = values;
      const told = (sweep: { runs: number; faults: number; cuts: number }): void =>
        say(
          `fault sweep from seed ${seed}: ${thousands(sweep.faults)} faults in ${thousands(sweep.runs)} runs, then ${thousands(sweep.cuts)} power cuts`,
        );
      const { violations } = await faultSweep({
        ...{ seed, told, workloads: numberOf(values.workloads, FAULT_WORKLOADS) },
        length: numberOf(values.length, FAULT_ACTIONS),
        ...(kind === undefined
          ? {}
          : { only: { kind, at: numberOf(values.at, 0), sticky: values.sticky === 'true' } }),
      });
      say(`${violations.length === 0 ? '0' : 'SOME'} acknowledged writes lost`);
      return violations;
    },
  },
  corruption: {
    options: optionsOf('bytes', 'share', 'ending', 'seed', 'path', 'bit', 'length'),
    async run(values, say) {
      const seed = numberOf(values.seed, anySeed());
      const bytes = numberOf(values.bytes, CORRUPTED_BYTES);
      const found: string[] = [];
      for (const ending of ENDINGS) {
        if (values.ending !== undefined && values.ending !== ending) continue;
        const { path, bit, length } = values;
        const place = bit === undefined ? { length: Number(length) } : { bit: Number(bit) };
        const sweep = await corruptionSweep({
          ...{ seed, bytes, ending, share: numberOf(values.share, 1) },
          ...(path === undefined ? {} : { only: { path, ...place } }),
          told: ({ flips, truncations, refused, indistinguishable, bytes: size }) =>
            say(
              `corruption sweep, seed ${seed}, ${ending}: ${thousands(flips)} bits flipped and ${thousands(truncations)} truncations of ${thousands(size)} bytes; ${thousands(refused)} refused, ${thousands(indistinguishable)} like an interrupted write`,
            ),
        });
        found.push(...sweep.violations);
      }
      say(`${found.length === 0 ? '0' : 'SOME'} silently different stores`);
      return found;
    },
  },
};
